import { backoffMs } from '../backoff.ts';

/** Time as an argument, so that tests need not wait. */
export interface Pace {
  /** A monotonic clock in milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

/**
 * Tries until it succeeds, with growing pauses, because a service of the cloud may answer late at boot.
 * @throws what the last try threw, if no other try would begin within `withinMs`
 */
export async function persist<Result>(
  work: () => Promise<Result>,
  withinMs: number,
  pace: Pace,
): Promise<Result> {
  const untilMs = pace.now() + withinMs;
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      const pauseMs = backoffMs(failures, pace.random());
      if (pace.now() + pauseMs >= untilMs) throw error;
      await pace.sleep(pauseMs);
    }
  }
}
