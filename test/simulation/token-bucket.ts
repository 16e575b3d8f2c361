/**
 * The allowance of an account's calls: a bucket of tokens that is refilled every second. Auto Scaling has one bucket for
 * all its calls and does not tell its size (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html, "API
 * request rate").
 */
export class TokenBucket {
  readonly #most: number;
  readonly #perSecond: number;
  #tokens: number;
  #second = 0;

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#tokens = most;
  }

  /** False when there is no token and the call is refused. */
  take(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    this.#tokens = Math.min(this.#most, this.#tokens + (second - this.#second) * this.#perSecond);
    this.#second = second;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
