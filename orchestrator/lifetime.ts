import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { Interrupted } from './errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** After a signal a command records where it stands and leaves within 3 s, whatever else hangs; the rest is for a busy machine. */
const LEAVE_WITHIN_MS = 2_500;
/** What still hangs after this time is left behind, so that the lock can be given back in order. */
const LET_GO_AFTER_MS = 2_000;

export interface Lifetime {
  /** Aborts with an Interrupted error at the first signal. */
  readonly signal: AbortSignal;
  /** Stops listening for signals. */
  end(): void;
}

/**
 * Turns signals into an abort. A second signal, or a first one that is not followed by an exit in time, ends the
 * process at once with the first signal's exit code; the journal can be taken up again at any point.
 */
export function listenForSignals(
  onFirst: (error: Interrupted) => void,
  exitNow: (error: Interrupted) => void,
): Lifetime {
  const controller = new AbortController();
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    const reason: unknown = controller.signal.reason;
    if (reason instanceof Interrupted) return exitNow(reason);
    const interrupted = new Interrupted(signal);
    onFirst(interrupted);
    controller.abort(interrupted);
    setTimeout(() => exitNow(interrupted), LEAVE_WITHIN_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    end: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

/** Work's outcome, or the signal's reason when it hangs for too long after the signal has aborted. */
export async function unlessItHangs<T>(
  work: Promise<T>,
  signal: AbortSignal,
  clock: { sleep(ms: number, signal: AbortSignal): Promise<void> },
): Promise<T> {
  const done = new AbortController();
  const overdue = aborted(signal, done.signal).then(async () => {
    await clock.sleep(LET_GO_AFTER_MS, done.signal);
    throw signal.reason;
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    done.abort();
    overdue.catch(() => {}); // Nobody waits for it any more.
  }
}

/** Resolves when `signal` aborts; never when `done` does so first. */
function aborted(signal: AbortSignal, done: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
}

/** Resolves when the event loop has been around once, with a look at everything that came from outside. */
export async function wholeTurn(): Promise<void> {
  // The first may come before this turn's look, the second comes behind the next one's.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Sleeps, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return sleepWith(ms, { signal, ref: true });
}

/** As `sleep`, for work beside the process's own: the process may end meanwhile. */
export function sleepInBackground(ms: number, signal: AbortSignal): Promise<void> {
  return sleepWith(ms, { signal, ref: false });
}

async function sleepWith(ms: number, options: { signal: AbortSignal; ref: boolean }): Promise<void> {
  try {
    await setTimeoutPromise(ms, undefined, options);
  } catch {
    // Node rejects with an AbortError of its own; whoever sleeps here is to know why.
    throw options.signal.reason;
  }
}
