import { Interrupted } from './errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** After a signal a command records where it stands and leaves within this time, whatever else hangs. */
const LEAVE_WITHIN_MS = 2_800;

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
export function listenForSignals(exitNow: (error: Interrupted) => void): Lifetime {
  const controller = new AbortController();
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    const reason: unknown = controller.signal.reason;
    if (reason instanceof Interrupted) return exitNow(reason);
    const interrupted = new Interrupted(signal);
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

/** Sleeps, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
