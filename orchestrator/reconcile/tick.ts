import type { Billing } from './billing.ts';
import type { Memory } from './memory.ts';
import type { Observation } from './observation.ts';
import type { RunState } from './state.ts';

/** Everything that a decision is made from. */
export interface Tick {
  readonly state: RunState;
  /** What earlier ticks have seen. */
  readonly memory: Memory;
  readonly observation: Observation;
  /** By a clock that never goes back. Its zero means nothing. */
  readonly nowMs: number;
  readonly limits: Limits;
}

/** What a run may use, and how long it may wait. All times are in milliseconds. */
export interface Limits {
  /** How many workers are wanted while there is work for all of them. */
  readonly workers: number;
  /** The fewest workers with which the pass goes on if the cloud has no more. */
  readonly minimum: number;
  /** How many instances beyond the first `workers` a run may use up. */
  readonly replacements: number;
  /** How often a range is tried. */
  readonly attempts: number;
  /** The build that every worker must report. */
  readonly build: string;
  /** By index: more dead letters in a target than this stop the run. */
  readonly stopLimits: Readonly<Record<string, number>>;
  /** The longest time from launch, or from the last ready answer, to a worker that answers as ready. */
  readonly readyTimeoutMs: number;
  /** How long there may be fewer instances than desired. Then the pass goes on with those, or ends. */
  readonly capacityTimeoutMs: number;
  /** How long the run's instances may live together. Then the run ends at zero. Null: there is no bound. */
  readonly mostInstanceSeconds: number | null;
  /** How instances are billed, for `mostInstanceSeconds`. */
  readonly billing: Billing;
  /** A worker that was ready counts as lost after this long without any answer. */
  readonly lostAfterMs: number;
  /** A running task that makes no progress for this long, while it waits for nothing, fails its attempt. */
  readonly stallTimeoutMs: number;
  /** A task that waits for the database or the cluster for this long ends the run, because instances cost money. */
  readonly waitingTimeoutMs: number;
  /** A drained worker has this long to end its tasks and to say how they ended. Then its instance is ended anyway. */
  readonly drainTimeoutMs: number;
  /** An instance that still runs this long after it was terminated is terminated again. */
  readonly terminateTimeoutMs: number;
  /**
   * Zero counts when it is seen this long after the last call that changes the fleet. A look at the fleet may be stale
   * for this long, and a call whose answer got lost may take this long to take effect. 0 where looks are exact.
   */
  readonly zeroQuietMs: number;
  /** The rest of a range goes to an idle worker if its own worker would need longer than this. */
  readonly shareLeastMs: number;
}
