import { describeDefinition } from '../../definition/describe.ts';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { describedDigest } from '../../definition/digest.ts';
import { RunFailed } from '../errors.ts';
import { runFolder } from '../journal/claims.ts';
import { RunJournal } from '../journal/run-journal.ts';
import type { FleetLock } from '../journal/lock.ts';
import { type DefinitionPlan, planDefinition } from '../plan/plan.ts';
import type { PlannedRange, RunEvent, RunIdentity } from '../reconcile/events.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Reporter } from '../report/reporter.ts';
import { plural } from '../report/words.ts';
import { checkBoth } from './check.ts';
import type { ChosenRun } from './choose-run.ts';
import { rangesOfPass } from './reindex-phase.ts';
import { takeClaim } from './run-claim.ts';
import type { SourceConnections } from './connections.ts';
import type { Offline } from './offline.ts';

/** A run as it stands before its phases: what is read, and what the journal says of it. */
export interface BegunRun {
  readonly described: DescribedDefinition;
  readonly identity: RunIdentity;
  readonly ranges: readonly PlannedRange[];
  /** Events that begin the journal of a new run; none for one that is carried on. */
  readonly firstEvents: readonly RunEvent[];
}

/** Plans a new run, or makes sure that an unfinished one still means the same. Writes nothing. */
export async function prepareRun(
  offline: Offline,
  connections: SourceConnections,
  chosen: ChosenRun,
  reporter: Reporter,
): Promise<BegunRun> {
  if (chosen.kind !== 'new' && chosen.state.identity !== null)
    return carryOn(offline, connections, chosen.state, chosen.state.identity);
  const run = chosen.kind === 'new' ? chosen : { run: chosen.claim.run, runKey: chosen.claim.runKey };
  return planRun(offline, connections, run, reporter);
}

async function planRun(
  offline: Offline,
  connections: SourceConnections,
  { run, runKey }: { run: string; runKey: string },
  reporter: Reporter,
): Promise<BegunRun> {
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  reporter.phaseStarted('plan');
  const { workers, ranges: wanted } = offline.settings;
  const plan = await checkBoth(offline, connections, (client) =>
    planDefinition(client, offline.loaded, { workers: workers.count, ranges: wanted.count }),
  );
  const ranges = rangesOfPass(
    1,
    plan.ranges.map(({ range, rows }) => ({ start: keyText(range.start), end: keyText(range.end), rows })),
  );
  const identity = identityOf(offline, plan, { run, runKey, startedAt });
  const record = { ranges, expected_bytes: plan.expectedBytes, bytes_per_row: plan.bytesPerRow };
  const finishedAt = new Date().toISOString();
  reporter.phaseFinished(
    'plan',
    (performance.now() - startMs) / 1000,
    `${plan.rows.exact ? '' : 'about '}${plural(plan.rows.count, 'row')} in ${plural(ranges.length, 'range')} for ${plural(workers.count, 'worker')}`,
  );
  return {
    described: plan.described,
    identity,
    ranges,
    firstEvents: [
      { type: 'run_started', ...identity },
      { type: 'phase_started', phase: 'plan', at: startedAt },
      { type: 'phase_finished', phase: 'plan', at: finishedAt, record },
    ],
  };
}

function identityOf(
  offline: Offline,
  plan: DefinitionPlan,
  run: Pick<RunIdentity, 'run' | 'runKey' | 'startedAt'>,
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

/** The same definition over the same column types by the same build, or the halves of the index would differ. */
async function carryOn(
  offline: Offline,
  connections: SourceConnections,
  state: RunState,
  identity: RunIdentity,
): Promise<BegunRun> {
  const described = await connections.withSource((client) =>
    describeDefinition(client, offline.loaded.definition),
  );
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
  const ranges = state.phases.plan?.record?.ranges as readonly PlannedRange[] | undefined;
  if (ranges === undefined) throw new RunFailed(`the journal of run ${identity.runKey} has no plan`);
  return { described, identity, ranges, firstEvents: [] };
}

/** Takes the fleet for a new run, or opens the journal of one that has it. */
export async function claimRun(
  offline: Offline,
  begun: BegunRun,
  chosen: ChosenRun,
  lock: FleetLock,
): Promise<RunJournal> {
  const { identity } = begun;
  const takes = chosen.kind === 'new' || (chosen.kind === 'unfinished' && !chosen.claim.held);
  if (takes) await takeClaim(offline, identity, new Date().toISOString());
  const journal = await RunJournal.open({
    store: offline.store,
    runFolder: runFolder(identity.runKey),
    epoch: lock.epoch,
    lost: lock.lost,
    now: () => new Date(),
  });
  const at = new Date().toISOString();
  const claim: RunEvent[] = [
    { type: 'phase_started', phase: 'claim', at },
    { type: 'phase_finished', phase: 'claim', at, record: {} },
  ];
  await journal.append(journal.state.identity === null ? [...begun.firstEvents, ...claim] : []);
  return journal;
}

function keyText(key: bigint | null): string | null {
  return key === null ? null : key.toString();
}
