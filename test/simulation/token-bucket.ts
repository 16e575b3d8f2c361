/**
 * The allowance of an account's calls: a bucket of tokens, refilled every second. Auto Scaling has one for all its calls
 * together and does not say how large it is (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html, "API
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

  /** False: there is none, and the call is refused. */
  take(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    this.#tokens = Math.min(this.#most, this.#tokens + (second - this.#second) * this.#perSecond);
    this.#second = second;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
