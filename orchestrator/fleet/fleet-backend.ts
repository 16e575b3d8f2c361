import type { Limits } from '../reconcile/tick.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Fleet } from './fleet.ts';
import type { WorkerCalls } from './worker-client.ts';

/** Where a run's workers come from: the fleet that the settings choose, with what its kind needs. */
export interface FleetBackend {
  /**
   * Checks everything that a run needs of its fleet, before it touches anything.
   *
   * @throws RunFailed that names every fault
   */
  check(options: FleetCheckOptions): Promise<CheckedFleet>;
  /**
   * Opens the workers of a pass. The caller closes them.
   *
   * @throws RunFailed when the run has another fleet
   */
  open(pass: FleetPass): Promise<PassWorkers>;
  /**
   * Opens the fleet without its workers, to bring it to zero. The caller closes it. `pin` is the pin of the unfinished
   * run that has the fleet: then it is that run's fleet, whatever the settings name now. With null no run has the
   * fleet, and it is the one in the settings.
   *
   * @throws RunFailed when the run has another kind of fleet
   */
  openFleet(pin: FleetPin | null): Promise<OpenedFleet>;
}

export interface FleetCheckOptions {
  /**
   * The pin of an unfinished run, null for a new run. A fleet that no longer matches the pin is no fault: the run may
   * go on with the instances that it has.
   */
  readonly pin: FleetPin | null;
  /**
   * True when the caller holds the fleet's lock. Then calls that are known to change nothing may be tried, to see
   * whether they are allowed.
   */
  readonly underLock: boolean;
}

export interface CheckedFleet {
  /** What the run is pinned to, or what a new run would be pinned to. */
  readonly pin: FleetPin;
  /** What a person should know before the run begins. */
  readonly warnings: readonly string[];
}

/** The run that the workers belong to, and what they connect to. */
export interface FleetPass {
  readonly run: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly pin: FleetPin;
  /** The lock's epoch. It rises with each holder. */
  readonly epoch: number;
  /** The pass's number. */
  readonly pass: number;
  /** The run's state by its journal, at the time of the call. */
  readonly state: () => Pick<RunState, 'cleared' | 'desired'>;
  /** Where workers find the database, with the password. */
  readonly sourceUrl: string;
  readonly targetUrl: string;
}

/** How soon a fleet's answers are certain, and how long its instances may take; see `Limits`. */
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
  /** The pause before the next tick, in milliseconds. It is asked each time. */
  readonly pauseMs: () => number;
  /** Ends everything that must not outlive this process. */
  readonly close: () => Promise<void>;
}
