import type { Billing } from './billing.ts';
import type { Memory } from './memory.ts';
import type { Observation } from './observation.ts';
import type { RunState } from './state.ts';

/** All that a decision is made from. */
export interface Tick {
  readonly state: RunState;
  /** What the ticks before have seen. */
  readonly memory: Memory;
  readonly observation: Observation;
  /** By a clock that never goes back; its zero means nothing. */
  readonly nowMs: number;
  readonly limits: Limits;
}

/** What a run may use and wait for. All times in milliseconds. */
export interface Limits {
  /** Workers wanted while there is work for all of them. */
  readonly workers: number;
  /** The pass goes on with so many if the cloud has no more. */
  readonly minimum: number;
  /** Instances beyond the first `workers` that a run may use up. */
  readonly replacements: number;
  /** Tries at one range. */
  readonly attempts: number;
  /** The build that every worker must answer with. */
  readonly build: string;
  /** More dead letters in one target than this stop the run; by its index. */
  readonly stopLimits: Readonly<Record<string, number>>;
  /** From launch (or from its last ready answer) to a worker that answers as ready. */
  readonly readyTimeoutMs: number;
  /** Fewer instances than desired for this long: the pass goes on with those, or ends. */
  readonly capacityTimeoutMs: number;
  /** The run ends at zero when its instances have lived for so long together; null: nobody has set a bound. */
  readonly mostInstanceSeconds: number | null;
  /** How instances are billed, for `mostInstanceSeconds`. */
  readonly billing: Billing;
  /** Without any answer for this long, a worker that was ready counts as lost. */
  readonly lostAfterMs: number;
  /** A running task without progress, while it waits for nothing, fails its attempt. */
  readonly stallTimeoutMs: number;
  /** A task that waits for the database or the cluster this long ends the run: instances cost money. */
  readonly waitingTimeoutMs: number;
  /** A worker that is drained has so long to end its tasks and to say how they ended; then its instance is ended anyway. */
  readonly drainTimeoutMs: number;
  /** An instance that was terminated and still runs is terminated again. */
  readonly terminateTimeoutMs: number;
  /**
   * Zero is believed when it is seen this long after the last call that changes the fleet: as long as a look at the
   * fleet may be stale, and as a call whose answer got lost may take to come into effect. 0 where looks are exact.
   */
  readonly zeroQuietMs: number;
  /** The rest of a range is given to an idle worker if its own would take longer than this. */
  readonly shareLeastMs: number;
}
