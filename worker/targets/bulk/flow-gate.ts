import type { InFlight } from '../in-flight.ts';
import type { Flow } from './flow.ts';

/** How a request ended, as far as the cluster's load is concerned. */
export type FlowEffect = 'acknowledged' | 'refused' | 'timeout' | 'neither';

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/** Lets senders through as the flow allows, first come first served. */
export class FlowGate {
  readonly #flow: Flow;
  readonly #now: () => number;
  readonly #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(flow: Flow, now: () => number) {
    this.#flow = flow;
    this.#now = now;
  }

  get limitBytes(): number {
    return this.#flow.limitBytes;
  }

  get inFlight(): InFlight {
    const { inFlightBytes: bytes, limitBytes, ceilingBytes } = this.#flow;
    return { bytes, limitBytes, ceilingBytes };
  }

  /** Resolves with the time of admission in milliseconds; rejects with the signal's reason when it is aborted first. */
  async enter(bytes: number, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    if (this.#waiters.length === 0 && this.#flow.mayEnter(bytes, this.#now())) this.#flow.enter(bytes);
    else await this.#wait(bytes, signal);
    return this.#now();
  }

  leave(bytes: number, enteredAtMs: number, effect: FlowEffect): void {
    const now = this.#now();
    if (effect === 'acknowledged') this.#flow.acknowledge(bytes, now);
    else if (effect === 'refused') this.#flow.refuse(bytes, enteredAtMs, now);
    else if (effect === 'timeout') this.#flow.timeOut(bytes, enteredAtMs, now);
    else this.#flow.release(bytes);
    this.#admit();
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#admit();
        reject(signal.reason as Error);
      };
      const admit = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const waiter: Waiter = { bytes, admit };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiters.push(waiter);
      this.#admit();
    });
  }

  #admit(): void {
    const now = this.#now();
    while (this.#waiters[0] !== undefined && this.#flow.mayEnter(this.#waiters[0].bytes, now)) {
      this.#flow.enter(this.#waiters[0].bytes);
      this.#waiters.shift()?.admit();
    }
    this.#wakeAtThaw(now);
  }

  /** Cooling bytes free themselves by time alone; nobody else would wake the waiters then. */
  #wakeAtThaw(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const thaw = this.#waiters.length > 0 ? this.#flow.nextThawMs : null;
    this.#timer = thaw === null ? null : setTimeout(() => this.#admit(), Math.max(1, Math.ceil(thaw - now)));
  }
}
