import { sleep, sleepInBackground } from './lifetime.ts';

/** Time as a run sees it; injected, so that a simulation can be the clock. */
export interface Clock {
  /** The wall's time: for people and records, never for decisions, since clocks differ and jump. */
  now(): Date;
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
  /** Rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep,
};

/** As the system's, for work beside the process's own: its sleep does not keep the process from its end. */
export const backgroundClock: Clock = { ...systemClock, sleep: sleepInBackground };
