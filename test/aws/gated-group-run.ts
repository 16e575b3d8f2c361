import type { EndedCommand, RunningCommand } from '../support/run-command.ts';
import { documentsInTable } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import type { Gate } from '../support/run-gate.ts';
import type { TestScope } from '../support/run-setup.ts';
import { gatedPlaces, ROWS } from '../support/run-table.ts';
import {
  type GroupRun,
  type GroupRunOptions,
  requireDocuments,
  requireOrder,
  setUpGroupRun,
} from './group-run.ts';
import { groupIdsOf } from './group.ts';

/** What a finished run says of the table `places`. */
export const DONE = { status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] };

/** What stands before the rows of a run. */
interface Gated {
  /** It is open at first. While it is shut, workers can finish four of the eight ranges and no more. */
  readonly gate: Gate;
  /** Shuts the gate and starts a run with the key `monday`; resolves when it stands there, with four ranges done. */
  begin(): Promise<RunningCommand>;
  /** The index is as the table, and everything is in order. */
  requireRight(): Promise<void>;
}
export type GatedGroupRun = GroupRun & Gated;

/** A run on a group over the table `places`, with a gate after half of its rows. */
export function setUpGatedGroupRun(
  scope: TestScope,
  databaseUrl: string,
  options: Partial<GroupRunOptions> = {},
): Promise<GatedGroupRun> {
  return setUpGatedRun(scope, databaseUrl, options, setUpGroupRun);
}

/**
 * As `setUpGatedGroupRun`, on a group of another kind.
 * @param setUp makes the group and what belongs to it
 */
export async function setUpGatedRun<Run extends GroupRun>(
  scope: TestScope,
  databaseUrl: string,
  options: Partial<GroupRunOptions>,
  setUp: (scope: TestScope, options: GroupRunOptions) => Promise<Run>,
): Promise<Run & Gated> {
  const { gate, definition } = await gatedPlaces(scope, databaseUrl);
  const { settings = {}, ...others } = options;
  const run = await setUp(scope, {
    databaseUrl,
    definition,
    settings: { ranges: { count: 8 }, ...settings },
    ...others,
  });
  const begin = async (): Promise<RunningCommand> => {
    await gate.shut();
    const command = run.setup.start('run', '--run-key', 'monday');
    await run.rangesDone(4);
    return command;
  };
  const requireRight = async (): Promise<void> => {
    const query = `SELECT id::text, json_build_object('id', id, 'name', name, 'passed', true)::text AS document FROM places`;
    await requireDocuments(run, await documentsInTable(databaseUrl, query));
    await requireOrder(run);
  };
  return { ...run, gate, begin, requireRight };
}

/** Ends one of a run's two machines in the middle of a range. Another machine replaces it. Returns how the run ended. */
export async function loseOneInMidRange(run: GatedGroupRun): Promise<EndedCommand> {
  const command = await run.begin();
  const [victim = ''] = await groupIdsOf(run.world);
  await run.room.shutDown(victim);
  await eventually('another is in its place', () => run.room.machines.length === 3);
  await run.gate.open();
  return command.ended;
}
