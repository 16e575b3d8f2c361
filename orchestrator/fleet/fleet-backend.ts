import type { Limits } from '../reconcile/tick.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Fleet } from './fleet.ts';
import type { WorkerCalls } from './worker-client.ts';

/** Where a run's workers come from: a fleet that settings have chosen, with what its kind needs at hand. */
export interface FleetBackend {
  /**
   * Holds everything that a run will need of its fleet against the world, before anything is touched.
   *
   * @throws RunFailed that names every fault
   */
  check(options: FleetCheckOptions): Promise<CheckedFleet>;
  /**
   * The workers of a pass, to be closed by the caller.
   *
   * @throws RunFailed when the run has another fleet
   */
  open(pass: FleetPass): Promise<PassWorkers>;
  /**
   * The fleet without its workers, to be brought to zero; to be closed by the caller. `pin`: of the unfinished run that
   * has it, whose fleet it is whatever the settings name by now; null: no run has it, it is that of the settings.
   *
   * @throws RunFailed when the run has another kind of fleet
   */
  openFleet(pin: FleetPin | null): Promise<OpenedFleet>;
}

export interface FleetCheckOptions {
  /**
   * What an unfinished run is pinned to; a fleet that is no longer like that is no fault, for the run may go on with what
   * it has. Null: the run is a new one.
   */
  readonly pin: FleetPin | null;
  /** The fleet's lock is held: calls may be tried that are known to change nothing, to see whether they are allowed. */
  readonly underLock: boolean;
}

export interface CheckedFleet {
  /** What the run is, or a new one is to be, pinned to. */
  readonly pin: FleetPin;
  /** What a person should know, though the run may begin. */
  readonly warnings: readonly string[];
}

/** Whose workers they are, and what they connect to. */
export interface FleetPass {
  readonly run: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly pin: FleetPin;
  /** Of the lock. Rises with each holder. */
  readonly epoch: number;
  /** The pass's number. */
  readonly pass: number;
  /** The run's journal as it stands whenever it is asked. */
  readonly state: () => Pick<RunState, 'cleared' | 'desired'>;
  /** Where workers find the database, the password in it. */
  readonly sourceUrl: string;
  readonly targetUrl: string;
}

/** How a fleet's answers are to be taken, and how long its instances may take; see `Limits`. */
export type FleetTiming = Pick<
  Limits,
  'zeroQuietMs' | 'terminateTimeoutMs' | 'readyTimeoutMs' | 'capacityTimeoutMs'
>;

export interface OpenedFleet {
  readonly fleet: Fleet;
  readonly timing: Pick<FleetTiming, 'zeroQuietMs'>;
}

export interface PassWorkers extends OpenedFleet {
  readonly timing: FleetTiming;
  readonly calls: WorkerCalls;
  /** Asked for the pause before each next tick, in milliseconds. */
  readonly pauseMs: () => number;
  /** Ends everything that must not outlive this process. */
  readonly close: () => Promise<void>;
}
