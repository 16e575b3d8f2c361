import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { WorkerCalls } from '../fleet/worker-client.ts';
import type { FleetLock } from '../journal/lock.ts';
import type { RunJournal } from '../journal/run-journal.ts';
import type { Limits } from '../reconcile/tick.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { RunIdentity, RunTarget } from '../reconcile/identity.ts';
import type { Reporter } from '../report/reporter.ts';
import type { SourceConnections } from './connections.ts';
import type { Offline } from './offline.ts';

/** Where a run's workers come from. */
export interface WorkersBackend {
  /**
   * Holds everything that a run will need of its fleet against the world, before anything is touched.
   *
   * @throws RunFailed that names every fault
   */
  check(options: FleetCheckOptions): Promise<CheckedFleet>;
  /** The workers of the journal's present pass. */
  open(context: RunContext): Promise<PassWorkers>;
  /**
   * The fleet without its workers, to be brought to zero; to be closed by the caller. `pin`: of the unfinished run that
   * has it, whose fleet it is whatever the settings name by now; null: that of the settings.
   *
   * @throws RunFailed when the run has another kind of fleet
   */
  openFleet(pin: FleetPin | null): Promise<{ readonly fleet: Fleet; readonly timing: FleetTiming }>;
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

/** How a fleet's answers are to be taken; see `Limits`. */
export type FleetTiming = Pick<Limits, 'zeroQuietMs' | 'terminateTimeoutMs'>;

export interface PassWorkers {
  readonly fleet: Fleet;
  readonly calls: WorkerCalls;
  readonly timing: FleetTiming;
  /** Its instances go on for a while without this process, and wait for a resume. */
  readonly outlivesProcess: boolean;
  /** Asked for the pause before each next tick, in milliseconds. */
  readonly pauseMs: () => number;
  /** How long an instance may take to be ready. */
  readonly readyTimeoutMs: number;
  /** Ends everything that must not outlive this process. */
  readonly close: () => Promise<void>;
}

/** One of the run's targets, with its definition against the database. */
export interface DescribedTarget extends RunTarget {
  readonly described: DescribedDefinition;
}
export type DescribedTargets = readonly [DescribedTarget, ...DescribedTarget[]];

/** What every phase of a run works with. */
export interface RunContext {
  readonly offline: Offline;
  readonly connections: SourceConnections;
  /** The identity's, each with its definition as the database has it now. */
  readonly targets: DescribedTargets;
  readonly journal: RunJournal;
  readonly lock: FleetLock;
  readonly identity: RunIdentity;
  readonly workers: WorkersBackend;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Aborts at a signal or when the lock is lost. */
  readonly signal: AbortSignal;
  /** Given on the command line for `promote`; null: the definition's. */
  readonly promoteLimit: number | null;
  /** What the run's instances may cost at most, in the currency of the settings; null: there is no bound. */
  readonly maxCost: number | null;
}
