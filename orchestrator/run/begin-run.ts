import type { ClientBase } from 'pg';
import { buildWords } from '../../definition/build-words.ts';
import { describeDefinition } from '../../definition/describe.ts';
import type { IndexDefinition } from '../../definition/definition.ts';
import { describedDigest } from '../../definition/digest.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import { rangeText } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { targetNames } from '../index/names.ts';
import { recordDefinitions } from '../journal/run-definitions.ts';
import { RunJournal } from '../journal/run-journal.ts';
import type { FleetLock } from '../journal/lock.ts';
import type { JournalStore } from '../journal/store.ts';
import { type DefinitionPlan, planDefinition } from '../plan/plan.ts';
import { inReadOnlyTransaction } from '../plan/transaction.ts';
import type { RunEvent } from '../reconcile/events.ts';
import type { RunIdentity } from '../reconcile/identity.ts';
import type { RunPlan } from '../reconcile/run-plan.ts';
import { isPhaseDone } from '../reconcile/phases.ts';
import type { Reporter } from '../report/reporter.ts';
import { plural } from '../report/words.ts';
import { checkAll } from './check.ts';
import { type ChosenRun, hasMoved, type NewRun } from './choose-run.ts';
import { OutdatedRun, restartOf } from './outdated-run.ts';
import { takeClaim } from './run-claim.ts';
import type { SourceConnections } from './connections.ts';
import type { FleetBackend } from '../fleet/fleet-backend.ts';
import type { DescribedTargets } from './context.ts';
import type { Offline } from './offline.ts';

/** A look at the catalogue is short, also behind a lock. */
const LOOK = { statementTimeoutMs: 30_000 };

/** A run before its phases: what it reads, and what the journal says of it. */
export interface BegunRun {
  readonly identity: RunIdentity;
  readonly targets: DescribedTargets;
  /** The events that begin the journal of a new run. A run that is carried on has none. */
  readonly firstEvents: readonly RunEvent[];
}

/** What a run needs to begin or to be carried on. */
export interface Preparation {
  readonly offline: Offline;
  readonly connections: SourceConnections;
  readonly workers: FleetBackend;
  readonly reporter: Reporter;
}

/** Plans a new run, or makes sure that an unfinished one still reads and builds the same. It writes nothing. */
export async function prepareRun(preparation: Preparation, chosen: ChosenRun): Promise<BegunRun> {
  if (chosen.kind !== 'new' && chosen.state.identity !== null) {
    const { state } = chosen;
    if (!isPhaseDone(state.phases, 'reindex')) {
      const { warnings } = await preparation.workers.check({ pin: state.pin, underLock: true });
      for (const warning of warnings) preparation.reporter.warning(warning);
    }
    return carryOn(preparation, chosen, chosen.state.identity);
  }
  return planRun(preparation, chosen.kind === 'new' ? chosen : chosen.claim);
}

async function planRun(
  { offline, connections, workers: backend, reporter }: Preparation,
  { run, runKey }: { readonly run: string; readonly runKey: string },
): Promise<BegunRun> {
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  reporter.phaseStarted('plan');
  const { workers, ranges: wanted } = offline.settings;
  const {
    inspected: plan,
    fleet,
    warnings,
  } = await checkAll(offline, connections, { workers: backend, underLock: true }, (client) =>
    planDefinition(client, offline.loaded, { workers: workers.count, ranges: wanted.count }),
  );
  for (const warning of [...warnings, ...plan.warnings]) reporter.warning(warning);
  const runPlan = runPlanOf(plan);
  const source = await connections.withSource((client) => identifyTable(client, offline.loaded.definition));
  const identity = identityOf(offline, plan, { run, runKey, startedAt, source });
  const record = {
    ranges: runPlan.ranges.length,
    expected_bytes: plan.expectedBytes,
    bytes_per_row: plan.bytesPerRow,
  };
  const finishedAt = new Date().toISOString();
  reporter.phaseFinished(
    'plan',
    (performance.now() - startMs) / 1000,
    `${plan.rows.exact ? '' : 'about '}${plural(plan.rows.count, 'row')} in ${plural(runPlan.ranges.length, 'range')} for ${plural(workers.count, 'worker')}`,
  );
  return {
    identity,
    targets: [{ ...identity.targets[0], described: plan.described }],
    firstEvents: [
      { type: 'run_started', ...identity },
      { type: 'fleet_pinned', pin: fleet.pin },
      { type: 'planned', ...runPlan },
      { type: 'phase_started', phase: 'plan', at: startedAt },
      { type: 'phase_finished', phase: 'plan', at: finishedAt, record },
    ],
  };
}

function identityOf(
  offline: Offline,
  plan: DefinitionPlan,
  run: Pick<RunIdentity, 'run' | 'runKey' | 'startedAt' | 'source'>,
): RunIdentity {
  const { definition } = offline.loaded;
  return {
    ...run,
    fleet: offline.settings.fleet,
    build: offline.build,
    rows: plan.rows.count,
    rowsExact: plan.rows.exact,
    targets: [
      {
        definition: definition.name,
        definitionDigest: plan.digest,
        alias: definition.alias,
        ...targetNames(definition.alias, run.run),
      },
    ],
  };
}

/**
 * Identifies the table beyond its name: `database (oid) table (oid)`. A copy of the database or the table has another
 * identifier.
 */
async function identifyTable(client: ClientBase, { source }: IndexDefinition): Promise<string> {
  const { rows } = await client.query<{ source: string }>(
    `SELECT format('%s (%s) %s (%s)', datname, oid, $1::text, to_regclass($1)::oid) AS source
     FROM pg_catalog.pg_database WHERE datname = current_database()`,
    [source.table],
  );
  return rows[0]?.source ?? source.table;
}

/**
 * Requires the same definitions, table, column types and build as at the run's beginning. Otherwise the halves of an
 * index would differ.
 */
async function carryOn(
  { offline, connections }: Preparation,
  { claim, state }: Exclude<ChosenRun, NewRun>,
  identity: RunIdentity,
): Promise<BegunRun> {
  const { definition } = offline.loaded;
  const { described, source } = await connections.withSource((client) =>
    inReadOnlyTransaction(client, { what: `Looking at ${definition.source.table}`, ...LOOK }, async () => ({
      described: await describeDefinition(client, definition),
      source: await identifyTable(client, definition),
    })),
  );
  const [target, ...others] = identity.targets;
  if (others.length > 0 || target.definition !== definition.name) {
    const names = identity.targets.map((each) => each.definition).join(', ');
    throw new RunFailed(
      `run ${identity.runKey} builds the indexes of ${names}, but these settings name ${definition.name}: carry it on with the settings that it began with, or end it with \`reindex-fleet abandon\``,
    );
  }
  const now = { source, types: describedDigest(described), build: offline.build };
  const why = hasMoved(state) ? null : whatChanged(identity, now);
  if (why !== null) {
    const command = restartOf(identity.runKey);
    throw new OutdatedRun(claim, { why, command, move: 'mend-and-repeat' });
  }
  if (state.plan === null) throw new RunFailed(`the journal of run ${identity.runKey} has no plan`);
  return { identity, targets: [{ ...target, described }], firstEvents: [] };
}

/** What is not as it was when the run began, in a sentence without its end. Null when nothing differs. */
function whatChanged(
  { runKey, source, build, targets: [target] }: RunIdentity,
  now: { readonly source: string; readonly types: string; readonly build: string },
): string | null {
  if (now.source !== source)
    return `run ${runKey} reads ${source}, but source.url leads to another table, ${now.source}`;
  if (now.types !== target.definitionDigest)
    return `the columns of ${target.definition} do not have the types that they had when run ${runKey} began`;
  if (now.build !== build)
    return `run ${runKey} was begun by build ${buildWords(build)}, but this is build ${buildWords(now.build)}`;
  return null;
}

interface Claiming {
  readonly lock: FleetLock;
  readonly clock: Clock;
  /** The definition of a new run. */
  readonly loaded: LoadedDefinition;
}

/** Claims the fleet for a new run, or opens the journal of a run that has claimed it. */
export async function claimRun(
  store: JournalStore,
  begun: BegunRun,
  chosen: ChosenRun,
  { lock, clock, loaded }: Claiming,
): Promise<RunJournal> {
  const { identity } = begun;
  lock.requireHeld();
  const folder = chosen.kind === 'new' ? chosen.folder : chosen.claim.folder;
  const takes = chosen.kind === 'new' || (chosen.kind === 'unfinished' && !chosen.claim.held);
  if (takes) await takeClaim(store, { identity, journal: { folder } }, clock.now().toISOString());
  const journal = await RunJournal.open({
    store,
    runFolder: folder,
    epoch: lock.epoch,
    requireHeld: () => lock.requireHeld(),
    now: () => clock.now(),
  });
  if (journal.state.identity === null) await recordDefinitions(store, folder, [loaded]);
  const at = clock.now().toISOString();
  const claim: RunEvent[] = [
    { type: 'phase_started', phase: 'claim', at },
    { type: 'phase_finished', phase: 'claim', at, record: {} },
  ];
  await journal.append(journal.state.identity === null ? [...begun.firstEvents, ...claim] : []);
  return journal;
}

/** The plan for the journal. Its ranges are numbered in key order. */
function runPlanOf({ described, ranges, bounds }: DefinitionPlan): RunPlan {
  const kind = keyKindOf(described.definition);
  const width = String(ranges.length).length;
  return {
    keyKind: kind.name,
    ranges: ranges.map(({ range, rows, bytes }, i) => ({
      number: String(i + 1).padStart(width, '0'),
      ...rangeText(kind, range),
      rows,
      bytes,
    })),
    bounds: bounds === null ? null : { min: kind.format(bounds.min), max: kind.format(bounds.max) },
  };
}
