import { Failure } from '../../definition/failure.ts';
import type { Clock } from '../clock.ts';

/** Waits before the tries behind the first: a server that starts again is back within them. */
const WAITS_MS = [1_000, 2_000, 4_000];

export interface Waiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Work that only reads is tried again a few times, whatever broke it: what lasts fails again and is then thrown. A failure
 * that wants another move than another try, and a signal, end it at once.
 */
export async function tryAgain<T>(work: () => Promise<T>, { clock, signal }: Waiting): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure && error.move !== 'try-again') throw error;
      await clock.sleep(waitMs, signal);
    }
  }
  return work();
}
