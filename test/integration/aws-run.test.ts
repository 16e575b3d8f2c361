import { describe, expect, inject, it } from 'vitest';
import {
  type GroupRun,
  type GroupRunOptions,
  requireDocuments,
  requireOrder,
  setUpGroupRun,
} from '../aws/group-run.ts';
import { groupIdsOf } from '../aws/group.ts';
import { documentsInTable } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import { createGate, type Gate } from '../support/run-gate.ts';
import { resultOf } from '../support/run-command.ts';
import type { TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';

/**
 * Whole runs on an Auto Scaling group: an AWS API, a real worker process on each instance's own address, PostgreSQL, the
 * search node, the journal in a bucket. Where something befalls a run, it stands before a gate behind half of its rows: four
 * of its eight ranges are done then, none of the others is.
 */
const database = placesDatabase();
const DONE = { status: 'done', rows: ROWS, indexed: ROWS };

async function setUp(
  scope: TestScope,
  options: Partial<GroupRunOptions> = {},
): Promise<GroupRun & { gate: Gate }> {
  const gate = await createGate(database.url(), 'places.id', ROWS / 2);
  scope.onTestFinished(() => gate.close());
  const definition = { ...PLACES, document: { ...PLACES.document, passed: gate.expression } };
  const { settings = {}, ...others } = options;
  const run = await setUpGroupRun(scope, {
    databaseUrl: database.url(),
    definition,
    settings: { ranges: { count: 8 }, ...settings },
    ...others,
  });
  return { ...run, gate };
}

async function requireRight(run: GroupRun): Promise<void> {
  const query = `SELECT id::text, json_build_object('id', id, 'name', name, 'passed', true)::text AS document FROM places`;
  await requireDocuments(run, await documentsInTable(database.url(), query));
  await requireOrder(run);
}

describe.skipIf(inject('awsUrl') === null)('a run on an Auto Scaling group', { timeout: 180_000 }, () => {
  it('comes up, works, and is gone; and so does the next one', async (scope) => {
    const run = await setUp(scope);
    const first = resultOf(await run.setup.run('run', '--run-key', 'monday'));
    expect(first).toMatchObject(DONE);
    await requireRight(run);
    expect(run.room.machines).toHaveLength(2);

    const second = resultOf(await run.setup.run('run', '--run-key', 'tuesday'));
    expect(second).toMatchObject({ ...DONE, previous_indexes: [first['index']] });
    await requireRight(run);
  });

  it('replaces an instance that is gone in mid-range', async (scope) => {
    const run = await setUp(scope);
    await run.gate.shut();
    const command = run.setup.start('run');
    await run.rangesDone(4);
    const [victim = ''] = await groupIdsOf(run.world);
    await run.room.shutDown(victim);
    await eventually('another is in its place', () => run.room.machines.length === 3);
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject(DONE);
    await requireRight(run);
  });
});
