import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Clock } from '../clock.ts';
import type { FleetBackend } from '../fleet/fleet-backend.ts';
import type { FleetLock } from '../journal/lock.ts';
import type { RunJournal } from '../journal/run-journal.ts';
import type { RunIdentity, RunTarget } from '../reconcile/identity.ts';
import type { Reporter } from '../report/reporter.ts';
import type { SourceConnections } from './connections.ts';
import type { Offline } from './offline.ts';

/** One of the run's targets, with its definition as the database describes it. */
export interface DescribedTarget extends RunTarget {
  readonly described: DescribedDefinition;
}
export type DescribedTargets = readonly [DescribedTarget, ...DescribedTarget[]];

/** What a person accepts of a promotion. Otherwise it is refused. */
export interface Acceptance {
  /** `--allow-shrink`: readers lose more documents than the limit allows. */
  readonly shrink: boolean;
  /** `--replace-foreign`: the alias leaves indexes that this fleet did not build. */
  readonly foreign: boolean;
}

/** What every phase of a run needs. */
export interface RunContext {
  readonly offline: Offline;
  readonly connections: SourceConnections;
  /** The run's targets, each with its definition as the database describes it now. */
  readonly targets: DescribedTargets;
  readonly journal: RunJournal;
  readonly lock: FleetLock;
  readonly identity: RunIdentity;
  readonly workers: FleetBackend;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Aborts at a signal, or when the lock is lost. */
  readonly signal: AbortSignal;
  /** The limit from `--promote-limit`. Null: the definition's limit counts. */
  readonly promoteLimit: number | null;
  /** What the person accepts of a promotion, beside dead letters. */
  readonly accepts: Acceptance;
  /** The name of this machine, for the claim on an alias. */
  readonly host: string;
  /** The most that the run's instances may cost, in the currency of the settings. Null: there is no bound. */
  readonly maxCost: number | null;
}
