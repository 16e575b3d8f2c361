import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { Interrupted } from './errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/**
 * After a signal a command records its state and leaves within 3 s, whatever hangs. The rest of that time is for a busy
 * machine.
 */
const LEAVE_WITHIN_MS = 2_500;
/** After this time, hanging work is left behind, so that the lock can be released properly. */
const LET_GO_AFTER_MS = 2_000;

export interface Lifetime {
  /** Aborts with an Interrupted error at the first signal. */
  readonly signal: AbortSignal;
  /** Stops listening for signals. */
  end(): void;
}

/**
 * Turns signals into an abort. A second signal ends the process at once with the first signal's exit code. So does a
 * first signal that is not followed by an exit in time. The journal can be resumed from any point.
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

/** The outcome of work. If the work hangs for too long after the signal has aborted, the signal's reason. */
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

/** Resolves when `signal` aborts, but never if `done` aborts first. */
function aborted(signal: AbortSignal, done: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
}

/** Resolves when the event loop has gone round once and has looked at everything that came from outside. */
export async function wholeTurn(): Promise<void> {
  // The first callback may run before this turn's look. The second runs after the next turn's look.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Sleeps, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return sleepWith(ms, { signal, ref: true });
}

/** Like `sleep`, for work beside the process's own. The process may end meanwhile. */
export function sleepInBackground(ms: number, signal: AbortSignal): Promise<void> {
  return sleepWith(ms, { signal, ref: false });
}

async function sleepWith(ms: number, options: { signal: AbortSignal; ref: boolean }): Promise<void> {
  try {
    await setTimeoutPromise(ms, undefined, options);
  } catch {
    // Node rejects with its own AbortError, but the sleeper needs the reason.
    throw options.signal.reason;
  }
}
