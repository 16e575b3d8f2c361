import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { emptyState, rangeCounts } from '../../orchestrator/reconcile/state.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentVersions, sql } from '../support/run-documents.ts';
import { createGate, createGateFunction, type Gate } from '../support/run-gate.ts';
import { eventually } from '../support/run-eventually.ts';
import { doneRanges, isHeld, rangesDone, stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { onlyTarget } from '../support/run-values.ts';

/**
 * What is left when a process of a run ends early, and who may go on. Each run stands before a gate behind half of
 * its rows: four of its eight ranges are done then, none of the others is.
 */

const ROWS = 2_000;
const EACH_ROW_WRITTEN_ONCE = Object.fromEntries(Array.from({ length: ROWS }, (_, i) => [i + 1, 1]));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await createGateFunction(database.url);
  await sql(
    database.url,
    `CREATE TABLE places (id int PRIMARY KEY, name text);
     INSERT INTO places SELECT n, 'place ' || to_char(n, 'FM0000') FROM generate_series(1, ${ROWS}) n; ANALYZE places`,
  );
});
afterAll(() => database.drop());

interface Gated {
  readonly setup: RunSetup;
  readonly gate: Gate;
}

async function setUpGated(
  scope: TestScope,
  settings: Record<string, Record<string, unknown>> = {},
): Promise<Gated> {
  const gate = await createGate(database.url, 'places.id', ROWS / 2);
  scope.onTestFinished(() => gate.close());
  const definition = {
    source: { table: 'places', key: 'id' },
    document: { name: 'places.name', passed: gate.expression },
  };
  const setup = await setUpRun(scope, {
    databaseUrl: database.url,
    definition,
    settings: { ranges: { count: 8 }, ...settings },
  });
  await gate.shut();
  return { setup, gate };
}

const NOWHERE = ['--source', 'postgres://nobody@127.0.0.1:1/none', '--target', 'http://127.0.0.1:1'];

describe('a run that is cut off', { timeout: 120_000 }, () => {
  it('leaves within 3 s of an interrupt, and the same command finishes it without reading settled rows again', async (scope) => {
    const { setup, gate } = await setUpGated(scope);
    const first = setup.start('run', '--run-key', 'monday');
    await rangesDone(setup, 4);

    const interruptedMs = performance.now();
    first.child.kill('SIGINT');
    const { code, result } = await first.ended;
    expect(performance.now() - interruptedMs).toBeLessThan(3_000);
    expect(code).toBe(130);
    expect(result).toMatchObject({ status: 'interrupted', exit_code: 130 });
    expect(await setup.workers()).toEqual([]);
    const state = (await stateOf(setup)) ?? emptyState();
    expect(state.result).toBeNull();
    expect(rangeCounts(state)).toMatchObject({ done: 4, waiting: 4, assigned: 0 });

    expect(resultOf(await setup.run('status'))['status']).toMatch(/^unfinished/);
    await gate.open();
    const second = resultOf(await setup.run('run', '--run-key', 'monday'));
    expect(second).toMatchObject({ status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] });
    expect(await documentVersions(setup.alias)).toEqual(EACH_ROW_WRITTEN_ONCE);

    // Neither database nor cluster is needed to say what a finished run did.
    const third = await setup.run('run', '--run-key', 'monday', ...NOWHERE);
    expect(resultOf(third)).toEqual({ ...second, finished_before: true });
    await setup.redefine({ document: { name: 'upper(places.name)' } });
    const changed = await setup.run('run', '--run-key', 'monday');
    expect(errorOf(changed, 1)).toContain('another definition');
  });

  it('leaves no worker after a SIGKILL, and the next call takes over at once', async (scope) => {
    const { setup, gate } = await setUpGated(scope, { journal: { lease_ms: 60_000 } });
    const first = setup.start('run');
    await rangesDone(setup, 4);

    first.child.kill('SIGKILL');
    await eventually('no worker lives', async () => (await setup.workers()).length === 0, 5_000);
    await gate.open();
    const second = await setup.run('run');

    expect(resultOf(second)).toMatchObject({ status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] });
    // Far below the lease that the dead process had left to run.
    expect(second.seconds).toBeLessThan(30);
    expect(await documentVersions(setup.alias)).toEqual(EACH_ROW_WRITTEN_ONCE);
  });

  it('replaces a worker that is killed, and ends right', async (scope) => {
    const { setup, gate } = await setUpGated(scope);
    const run = setup.start('run');
    await rangesDone(setup, 4);
    const [victim = 0] = await setup.workers();

    process.kill(victim, 'SIGKILL');
    await eventually('another worker stands in its place', async () => {
      const workers = await setup.workers();
      return workers.length === 2 && !workers.includes(victim);
    });
    await gate.open();

    expect(resultOf(await run.ended)).toMatchObject({
      status: 'done',
      rows: ROWS,
      targets: [{ indexed: ROWS }],
    });
    expect(await documentVersions(setup.alias)).toEqual(EACH_ROW_WRITTEN_ONCE);
  });

  it('refuses another key at once, and lets the same key wait for its turn', async (scope) => {
    const { setup, gate } = await setUpGated(scope, { journal: { lease_ms: 30_000 } });
    const run = setup.start('run', '--run-key', 'one');
    await rangesDone(setup, 4);

    const other = await setup.run('run', '--run-key', 'other');
    expect(errorOf(other, 3)).toMatch(/run with key one .*has held the fleet since \d{4}-\d\d-\d\dT/);
    const patient = setup.start('run', '--run-key', 'one');
    await patient.said(`waiting for the lock: reindex-fleet run, process ${run.child.pid} on`);
    const running = { status: 'running', held_by: 'one', process: { pid: run.child.pid } };
    expect(resultOf(await setup.run('status'))).toMatchObject(running);
    await gate.open();

    const result = resultOf(await run.ended);
    expect(resultOf(await patient.ended)).toEqual({ ...result, finished_before: true });
    expect(await documentVersions(setup.alias)).toEqual(EACH_ROW_WRITTEN_ONCE);
  });

  it('by a pause longer than its lease finds itself superseded, and does no harm', {
    tags: 'long',
  }, async (scope) => {
    const { setup, gate } = await setUpGated(scope, { journal: { lease_ms: 1_000 } });
    const paused = setup.start('run', '--run-key', 'k');
    await rangesDone(setup, 4);
    paused.child.kill('SIGSTOP');

    const second = setup.start('run', '--run-key', 'k');
    await second.said('carried on');
    await gate.open();
    const result = resultOf(await second.ended);
    paused.child.kill('SIGCONT');

    expect(errorOf(await paused.ended, 3)).toMatch(
      /stood still for longer than its lease|taken the lock over|another process \(epoch \d+\) has written/,
    );
    expect(result).toMatchObject({ status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] });
    expect(Object.keys(await documentVersions(setup.alias))).toHaveLength(ROWS);
    expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
    expect(await setup.workers()).toEqual([]);
  });

  it('ends with 143 by SIGTERM and with 129 by SIGHUP, and keeps its claim', async (scope) => {
    const { setup } = await setUpGated(scope);
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      const run = setup.start('run');
      await rangesDone(setup, 4);
      await run.said('"phase":"reindex"');
      run.child.kill(signal);
      expect((await run.ended).code).toBe(code);
      expect(await isHeld(setup)).toBe(true);
      expect(await doneRanges(setup)).toBe(4);
      expect(await setup.workers()).toEqual([]);
    }
  });
});
