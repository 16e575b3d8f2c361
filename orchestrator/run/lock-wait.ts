import { type Holder, holderWords } from '../journal/holder.ts';

/** How a command waits for the process that holds the lock. */
export interface LockWait {
  /** The command's run key. Null when it was given none. */
  readonly runKey: string | null;
  /** Whether it waits for a process that works on the same run until that process ends. */
  readonly forSameRun: boolean;
  /** What `--wait` asks for, whoever holds the lock. Null when it is not given. */
  readonly withinMs: number | null;
}

export const NO_WAIT: LockWait = { runKey: null, forSameRun: false, withinMs: null };

/** A holder that dies is noticed after a lease. The rest is for slow answers. */
const LEASES = 1.2;
const TELL_AGAIN_MS = 60_000;

export interface Look {
  /** Whether the command has waited for long enough. */
  readonly isOver: boolean;
  /** What to tell. Null: it was told not long ago. */
  readonly words: string | null;
}

/**
 * How long a command still waits. A process that works on the same run is waited for as long as it lives. One that works
 * on another run is not waited for. Of others nobody knows what they do, so they get a little longer than a lease.
 */
export class Patience {
  readonly #wait: LockWait;
  readonly #leaseMs: number;
  #beganMs: number | null = null;
  /** The time with a holder of the same run does not count. */
  #countsFromMs: number | null = null;
  #toldMs: number | null = null;
  #hasWaitedForThisRun = false;

  constructor(wait: LockWait, leaseMs: number) {
    this.#wait = wait;
    this.#leaseMs = leaseMs;
  }

  isForThisRun({ runKey }: Holder): boolean {
    return this.#wait.forSameRun && runKey !== undefined && runKey === this.#wait.runKey;
  }

  look(holder: Holder, nowMs: number): Look {
    this.#beganMs ??= nowMs;
    if (this.isForThisRun(holder)) {
      this.#countsFromMs = null;
      this.#hasWaitedForThisRun = true;
    } else this.#countsFromMs ??= nowMs;
    const countsFromMs = this.#wait.withinMs === null ? (this.#countsFromMs ?? nowMs) : this.#beganMs;
    if (nowMs - countsFromMs >= this.#limitMs(holder)) return { isOver: true, words: null };
    const isDue = this.#toldMs === null || nowMs - this.#toldMs >= TELL_AGAIN_MS;
    if (isDue) this.#toldMs = nowMs;
    return { isOver: false, words: isDue ? this.#words(holder, nowMs - this.#beganMs) : null };
  }

  #limitMs(holder: Holder): number {
    const { runKey, withinMs } = this.#wait;
    if (withinMs !== null) return withinMs;
    if (this.isForThisRun(holder)) return Number.POSITIVE_INFINITY;
    const isOther = runKey !== null && holder.runKey !== undefined && holder.runKey !== runKey;
    // While this run is unfinished, the lock of another run's process is soon free: its command is refused.
    return isOther && !this.#hasWaitedForThisRun ? 0 : this.#leaseMs * LEASES;
  }

  #words(holder: Holder, waitedMs: number): string {
    const minutes = Math.floor(waitedMs / 60_000);
    const since = minutes === 0 ? '' : `, for ${minutes} min now`;
    const then = this.isForThisRun(holder) ? '; this command then ends with the result of that run' : '';
    return `waiting for the lock${since}: ${holderWords(holder)}${then}`;
  }
}
