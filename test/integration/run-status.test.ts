import { inject, expect, it } from 'vitest';
import { resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import { rangesDone } from '../support/run-journal.ts';
import { setUpRun } from '../support/run-setup.ts';
import { gatedPlaces, placesDatabase, ROWS } from '../support/run-table.ts';

/** What another process can tell of a run, from its journal alone. */

const database = placesDatabase();

it('status tells who drives a run and since when, its phase, ranges and rows, whatever became of it', {
  timeout: 180_000,
}, async (scope) => {
  const { gate, definition } = await gatedPlaces(scope, database.url());
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl: inject('developmentUrl'),
    definition,
    settings: { ranges: { count: 8 }, journal: { lease_ms: 60_000 } },
  });
  /** As a person asks from another place: neither database nor cluster is there. */
  const ask = async (...args: string[]) => {
    const nowhere = ['--source', 'postgres://nobody@127.0.0.1:1/none', '--target', 'http://127.0.0.1:1'];
    const ended = await setup.run('status', ...nowhere, ...args);
    return { result: resultOf(ended), said: ended.log.map(({ msg }) => msg).join('\n') };
  };

  const empty = await ask();
  expect(empty.result).toMatchObject({ status: 'no run yet', held_by: null, process: null });
  expect(empty.said).toContain('no run yet');

  await gate.shut();
  const run = setup.start('run', '--run-key', 'k');
  await rangesDone(setup, 4);
  const running = await ask();
  const driver = {
    pid: run.child.pid,
    purpose: 'reindex-fleet run',
    state: 'alive',
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
  };
  expect(running.result).toMatchObject({
    status: 'running',
    held_by: 'k',
    process: driver,
    phase: 'reindex',
    ranges: { done: 4, failed: 0 },
    settled: { rows: ROWS / 2 },
  });
  expect(running.said).toMatch(
    new RegExp(
      `driver reindex-fleet run, process ${run.child.pid} on \\S+, since \\d{4}-\\d\\d-\\d\\dT\\S+Z`,
    ),
  );
  expect(running.said).toContain('phase  reindex');
  expect(running.said).toContain('ranges 4 of 8 done, 1,000 rows settled');
  expect((await ask('--run-key', 'unknown')).result).toMatchObject({
    status: 'no run with key unknown',
    held_by: 'k',
    process: driver,
  });

  run.child.kill('SIGKILL');
  await run.ended;
  // Its lease runs for most of a minute yet.
  const killed = await ask();
  expect(killed.result).toMatchObject({
    status: 'unfinished; the same command carries it on',
    held_by: 'k',
    process: { ...driver, state: 'dead' },
    settled: { rows: ROWS / 2 },
  });
  expect(killed.said).toContain('is dead');

  await gate.open();
  await eventually('no worker lives', async () => (await setup.workers()).length === 0);
  resultOf(await setup.run('reindex', '--run-key', 'k'));
  const between = await ask();
  expect(between.result).toMatchObject({
    status: 'unfinished; the same command carries it on',
    held_by: 'k',
    process: null,
    phase: null,
    ranges: { done: 8 },
    settled: { rows: ROWS },
  });

  const finished = resultOf(await setup.run('run', '--run-key', 'k'));
  resultOf(await setup.run('claim', '--run-key', 'other'));
  resultOf(await setup.run('abandon'));
  expect((await ask('--run-key', 'k')).result).toMatchObject({
    status: 'finished',
    held_by: null,
    process: null,
    result: finished,
  });
  expect((await ask()).result).toMatchObject({ status: 'abandoned', run_key: 'other', held_by: null });
});
