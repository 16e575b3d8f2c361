import type { ClientBase } from 'pg';
import { describeDefinition } from '../../definition/describe.ts';
import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import { describedDigest } from '../../definition/digest.ts';
import { rangeText } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { runFolder } from '../journal/claims.ts';
import { RunJournal } from '../journal/run-journal.ts';
import type { FleetLock } from '../journal/lock.ts';
import { type DefinitionPlan, planDefinition } from '../plan/plan.ts';
import type { RunEvent, RunIdentity, RunPlan } from '../reconcile/events.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Reporter } from '../report/reporter.ts';
import { plural } from '../report/words.ts';
import { checkAll } from './check.ts';
import type { ChosenRun } from './choose-run.ts';
import { takeClaim } from './run-claim.ts';
import type { SourceConnections } from './connections.ts';
import type { FleetBackend } from '../fleet/fleet-backend.ts';
import type { Offline } from './offline.ts';

/** A run as it stands before its phases: what is read, and what the journal says of it. */
export interface BegunRun {
  readonly described: DescribedDefinition;
  readonly identity: RunIdentity;
  /** Events that begin the journal of a new run; none for one that is carried on. */
  readonly firstEvents: readonly RunEvent[];
}

/** Plans a new run, or makes sure that an unfinished one still means the same. Writes nothing. */
export async function prepareRun(
  offline: Offline,
  connections: SourceConnections,
  chosen: ChosenRun,
  workers: FleetBackend,
  reporter: Reporter,
): Promise<BegunRun> {
  if (chosen.kind !== 'new' && chosen.state.identity !== null) {
    const { state } = chosen;
    if (state.phases.reindex?.finishedAt == null) {
      const { warnings } = await workers.check({ pin: state.pin, underLock: true });
      for (const warning of warnings) reporter.warning(warning);
    }
    return carryOn(offline, connections, state, chosen.state.identity);
  }
  const run = chosen.kind === 'new' ? chosen : { run: chosen.claim.run, runKey: chosen.claim.runKey };
  return planRun(offline, connections, run, workers, reporter);
}

async function planRun(
  offline: Offline,
  connections: SourceConnections,
  { run, runKey }: { run: string; runKey: string },
  backend: FleetBackend,
  reporter: Reporter,
): Promise<BegunRun> {
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  reporter.phaseStarted('plan');
  const { workers, ranges: wanted } = offline.settings;
  const { inspected: plan, fleet } = await checkAll(
    offline,
    connections,
    { workers: backend, underLock: true },
    (client) => planDefinition(client, offline.loaded, { workers: workers.count, ranges: wanted.count }),
  );
  for (const warning of fleet.warnings) reporter.warning(warning);
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
    described: plan.described,
    identity,
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
    alias: definition.alias,
    definition: definition.name,
    definitionDigest: plan.digest,
    build: offline.build,
    rows: plan.rows.count,
    rowsExact: plan.rows.exact,
  };
}

/** Which table it is, beyond its name: `database (oid) table (oid)`. A copy of either has another identifier. */
async function identifyTable(client: ClientBase, { source }: IndexDefinition): Promise<string> {
  const { rows } = await client.query<{ source: string }>(
    `SELECT format('%s (%s) %s (%s)', datname, oid, $1::text, to_regclass($1)::oid) AS source
     FROM pg_catalog.pg_database WHERE datname = current_database()`,
    [source.table],
  );
  return rows[0]?.source ?? source.table;
}

/** The same definition over the same table and column types by the same build, or the halves of the index would differ. */
async function carryOn(
  offline: Offline,
  connections: SourceConnections,
  state: RunState,
  identity: RunIdentity,
): Promise<BegunRun> {
  const { definition } = offline.loaded;
  const { described, source } = await connections.withSource(async (client) => ({
    described: await describeDefinition(client, definition),
    source: await identifyTable(client, definition),
  }));
  if (source !== identity.source) {
    throw new RunFailed(
      `run ${identity.runKey} reads ${identity.source} and this is ${source}, another table: mend source.url, or end the run with \`reindex-fleet abandon\` and begin another`,
    );
  }
  const digest = describedDigest(described);
  if (digest !== identity.definitionDigest) {
    throw new RunFailed(
      `the columns of ${identity.definition} have other types than when run ${identity.runKey} began: end it with \`reindex-fleet abandon\` and begin another`,
    );
  }
  if (offline.build !== identity.build) {
    throw new RunFailed(
      `run ${identity.runKey} was begun by build ${identity.build.slice(0, 12)} and this is ${offline.build.slice(0, 12)}: carry it on with the build that began it, or end it with \`reindex-fleet abandon\``,
    );
  }
  if (state.plan === null) throw new RunFailed(`the journal of run ${identity.runKey} has no plan`);
  return { described, identity, firstEvents: [] };
}

/** Takes the fleet for a new run, or opens the journal of one that has it. */
export async function claimRun(
  offline: Offline,
  begun: BegunRun,
  chosen: ChosenRun,
  lock: FleetLock,
  clock: Clock,
): Promise<RunJournal> {
  const { identity } = begun;
  lock.requireHeld();
  const takes = chosen.kind === 'new' || (chosen.kind === 'unfinished' && !chosen.claim.held);
  if (takes) await takeClaim(offline, identity, clock.now().toISOString());
  const journal = await RunJournal.open({
    store: offline.store,
    runFolder: runFolder(identity.runKey),
    epoch: lock.epoch,
    requireHeld: () => lock.requireHeld(),
    now: () => clock.now(),
  });
  const at = clock.now().toISOString();
  const claim: RunEvent[] = [
    { type: 'phase_started', phase: 'claim', at },
    { type: 'phase_finished', phase: 'claim', at, record: {} },
  ];
  await journal.append(journal.state.identity === null ? [...begun.firstEvents, ...claim] : []);
  return journal;
}

/** Ranges are numbered in key order. */
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
