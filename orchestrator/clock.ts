import { sleep, sleepInBackground } from './lifetime.ts';

/** The time that a run sees. It is injected, so that a simulation can be the clock. */
export interface Clock {
  /** The wall clock's time: for people and records, never for decisions, because clocks differ and jump. */
  now(): Date;
  /** The milliseconds of a clock that never goes back. */
  monotonicMs(): number;
  /** Rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep,
};

/** The system's clock for work beside the process's own. Its sleep does not keep the process alive. */
export const backgroundClock: Clock = { ...systemClock, sleep: sleepInBackground };
