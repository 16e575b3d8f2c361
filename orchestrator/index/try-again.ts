import type { Clock } from '../clock.ts';
import { RunFailed, Unreachable } from '../errors.ts';
import { ClusterError } from './cluster-error.ts';

/** Waits before the tries behind the first: a server that starts again is back within them. */
const WAITS_MS = [1_000, 2_000, 4_000];

export interface Waiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Work that only reads is tried again a few times, whatever broke it: what lasts fails again and is then thrown. What is
 * known to last, and a signal, end it at once.
 */
export async function tryAgain<T>(work: () => Promise<T>, { clock, signal }: Waiting): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (lasts(error)) throw error;
      await clock.sleep(waitMs, signal);
    }
  }
  return work();
}

/** A diagnosis that names what to mend, or a refusal by the cluster that is not for its load. */
function lasts(error: unknown): boolean {
  if (error instanceof ClusterError) return error.status >= 400 && error.status < 500 && error.status !== 429;
  return error instanceof RunFailed && !(error instanceof Unreachable);
}
