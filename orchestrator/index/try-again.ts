import { Failure } from '../../definition/failure.ts';
import type { Clock } from '../clock.ts';
import { isPassing } from './patience.ts';

/** The pauses before the tries after the first. A server that restarts is back within them. */
const WAITS_MS = [1_000, 2_000, 4_000];

export interface Waiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Repeats work that only reads a few times, whatever broke it. A lasting failure fails again and is thrown. A signal
 * ends the tries at once, and so does a failure that another try does not help. So does a cluster that is overloaded or
 * away, because each call has waited for it already.
 */
export async function tryAgain<T>(work: () => Promise<T>, { clock, signal }: Waiting): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure && error.move !== 'try-again') throw error;
      if (isPassing(error)) throw error;
      await clock.sleep(waitMs, signal);
    }
  }
  return work();
}
