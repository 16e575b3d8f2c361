/** A worker's lease on life: it begins at boot, an orchestrator's calls renew it, and its end is acted upon once. */
export class Lease {
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #onExpired: () => void;
  #renewedAtMs: number;
  #timer: NodeJS.Timeout | null;

  /** @param now a monotonic clock in milliseconds; the wall's clock may jump */
  constructor(leaseMs: number, now: () => number, onExpired: () => void) {
    this.#leaseMs = leaseMs;
    this.#now = now;
    this.#onExpired = onExpired;
    this.#renewedAtMs = now();
    this.#timer = setTimeout(() => this.#check(), leaseMs);
  }

  renew(): void {
    this.#renewedAtMs = this.#now();
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One timer for all renewals: it looks how much is left and sleeps for that. */
  #check(): void {
    const leftMs = this.#renewedAtMs + this.#leaseMs - this.#now();
    this.#timer = leftMs > 0 ? setTimeout(() => this.#check(), Math.ceil(leftMs)) : null;
    if (this.#timer === null) this.#onExpired();
  }
}
