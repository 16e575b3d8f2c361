import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { ClusterError } from './cluster-error.ts';

/** The pause before the first repeat. It doubles for each further one, up to the longest. */
const LEAST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** The longest pause that a cluster may ask for with `Retry-After`. */
const LONGEST_ASKED_PAUSE_MS = 60_000;
/** A wait is told when it has lasted this long, and again after each further stretch. */
const FIRST_WORDS_AFTER_MS = 2_000;
const NEXT_WORDS_AFTER_MS = 30_000;

/** The statuses of a cluster, or of a gateway before it, that is overloaded or away for a while. */
const PASSING = new Set([429, 502, 503, 504]);

export interface Patience {
  /** How long a call is tried again, counted from its first failure. */
  readonly waitingTimeoutMs: number;
  /** Called with what is waited for. */
  readonly onWait?: ((words: string) => void) | undefined;
}

/** While a snapshot is under way, the cluster refuses (400) to delete an index that it holds. */
const SNAPSHOT_UNDER_WAY = 'snapshot_in_progress_exception';

/** Whether a call failed in a way that passes by itself: no answer, an overloaded or absent cluster, or a snapshot. */
export function isPassing(error: unknown): error is ClusterError {
  if (!(error instanceof ClusterError)) return false;
  return error.status === 0 || PASSING.has(error.status) || error.type === SNAPSHOT_UNDER_WAY;
}

/** Whether the cluster certainly did nothing, so that even a call that must not be made twice is made again. */
export function hadNoEffect(error: unknown): boolean {
  if (!(error instanceof ClusterError)) return false;
  return error.status === 429 || (error.status === 0 && NEVER_SENT.has(codeOf(error.cause)));
}

const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * Makes a call again, with back-off and the pause that the cluster asks for, until it succeeds or the patience is used
 * up. This is the one place where the orchestrator waits for a cluster that does not answer as it should.
 *
 * @param isAgain whether a failure is worth another try
 * @throws the last failure, which then says how long the call was tried
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { waitingTimeoutMs, onWait }: Patience,
  isAgain: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  let firstFailureMs: number | null = null;
  let nextWordsMs = FIRST_WORDS_AFTER_MS;
  return pRetry(work, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: LEAST_PAUSE_MS,
    maxTimeout: LONGEST_PAUSE_MS,
    signal,
    shouldRetry: async ({ error, attemptNumber, retryDelay }) => {
      if (!isAgain(error)) return false;
      firstFailureMs ??= performance.now();
      const waitedMs = performance.now() - firstFailureMs;
      const askedMs = error instanceof ClusterError ? (error.retryAfterMs ?? 0) : 0;
      const pauseMs = Math.max(retryDelay, Math.min(askedMs, LONGEST_ASKED_PAUSE_MS));
      if (waitedMs + pauseMs > waitingTimeoutMs) throw afterTrying(error, attemptNumber, waitedMs);
      if (waitedMs + pauseMs >= nextWordsMs) {
        nextWordsMs = waitedMs + NEXT_WORDS_AFTER_MS;
        onWait?.(
          `waiting for the search cluster, for up to ${seconds(waitingTimeoutMs - waitedMs)}: ${error.message}`,
        );
      }
      if (pauseMs > retryDelay) await sleep(pauseMs - retryDelay, undefined, { signal });
      return true;
    },
  });
}

function afterTrying(error: Error, tries: number, waitedMs: number): Error {
  if (!(error instanceof ClusterError) || tries < 2) return error;
  return error.withMessage(`${error.message} (tried ${tries} times in ${seconds(waitedMs)})`);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
