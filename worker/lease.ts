import type { Schedule } from './schedule.ts';

export interface LeaseOptions {
  readonly leaseMs: number;
  /** A monotonic clock in milliseconds. The time of day may jump. */
  readonly now: () => number;
  readonly schedule: Schedule;
  /** Called once, when the lease is over. */
  readonly onExpired: () => void;
}

/** A worker's lease. It begins at boot, and an orchestrator's calls renew it. When it is over, the worker ends. */
export class Lease {
  readonly #options: LeaseOptions;
  #renewedAtMs: number;
  /** Cancels the next look. Null: the lease is over, or was ended. */
  #cancel: (() => void) | null;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#renewedAtMs = options.now();
    this.#cancel = options.schedule(options.leaseMs, () => this.#check());
  }

  /**
   * Renews the lease. False: it is over and stays over. The timer may not have noticed yet, because the process may have
   * been stopped for long.
   */
  renew(): boolean {
    const isHeld = this.#cancel !== null && this.leftMs > 0;
    if (isHeld) this.#renewedAtMs = this.#options.now();
    else this.#expire();
    return isHeld;
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Milliseconds until it is over; negative when it should have been acted upon already. */
  get leftMs(): number {
    return this.#renewedAtMs + this.#options.leaseMs - this.#options.now();
  }

  /** One timer serves all renewals. It looks how much time is left and sleeps for that long. */
  #check(): void {
    const leftMs = this.leftMs;
    if (leftMs > 0) this.#cancel = this.#options.schedule(Math.ceil(leftMs), () => this.#check());
    else this.#expire();
  }

  #expire(): void {
    if (this.#cancel === null) return;
    this.end();
    this.#options.onExpired();
  }
}
