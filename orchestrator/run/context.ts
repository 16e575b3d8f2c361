import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { WorkerCalls } from '../fleet/worker-client.ts';
import type { FleetLock } from '../journal/lock.ts';
import type { RunJournal } from '../journal/run-journal.ts';
import type { Limits } from '../reconcile/draft.ts';
import type { RunIdentity } from '../reconcile/events.ts';
import type { Reporter } from '../report/reporter.ts';
import type { SourceConnections } from './connections.ts';
import type { Offline } from './offline.ts';

/** Makes a fleet of workers for the journal's present pass. */
export type OpenWorkers = (context: RunContext) => PassWorkers;

/** How a fleet's answers are to be taken; see `Limits`. */
export type FleetTiming = Pick<Limits, 'zeroQuietMs' | 'terminateTimeoutMs'>;

export interface PassWorkers {
  readonly fleet: Fleet;
  readonly calls: WorkerCalls;
  readonly timing: FleetTiming;
  /** Ends everything that must not outlive this process. */
  readonly close: () => Promise<void>;
}

/** What every phase of a run works with. */
export interface RunContext {
  readonly offline: Offline;
  readonly connections: SourceConnections;
  readonly described: DescribedDefinition;
  readonly journal: RunJournal;
  readonly lock: FleetLock;
  readonly identity: RunIdentity;
  readonly workers: OpenWorkers;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Aborts at a signal or when the lock is lost. */
  readonly signal: AbortSignal;
  /** Given on the command line for `promote`; null: the definition's. */
  readonly promoteLimit: number | null;
}
