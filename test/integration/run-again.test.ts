import { expect, it } from 'vitest';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { type RunSetup, setUpRun } from '../support/run-setup.ts';

/** What stands beside a run's index: those of runs before it, and the way back to them. */

const database = placesDatabase();

async function runOnce(setup: RunSetup, ...args: string[]): Promise<string> {
  const { code, result, stderr } = await setup.run('run', ...args);
  expect(code, stderr).toBe(0);
  expect(result).toMatchObject({ status: 'done', indexed: ROWS });
  return String(result['index']);
}

const withCompanions = (...indexes: string[]): string[] => indexes.flatMap((index) => [index, `${index}-dead-letters`]).sort();

it('each run makes an index of its own, keeps `retain` former ones, and can be rolled back', { timeout: 120_000 }, async (scope) => {
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: { ...PLACES, retain: 1 }, settings: { workers: { count: 1 } } });

  const first = await runOnce(setup);
  const early = await setup.run('rollback');
  expect(early.code).toBe(1);
  expect(early.result['error']).toContain('nothing to roll back to');
  const second = await runOnce(setup, '--run-key', 'second');
  expect(await setup.indexes()).toEqual(withCompanions(first, second));
  const third = await runOnce(setup, '--run-key', 'third');
  expect(new Set([first, second, third]).size).toBe(3);
  expect(await setup.served()).toEqual([third]);
  expect(await setup.indexes()).toEqual(withCompanions(second, third));

  const back = await setup.run('rollback');
  expect(back.code, back.stderr).toBe(0);
  expect(back.result).toMatchObject({ status: 'rolled back', run_key: 'third', left: third, restored: [second] });
  expect(await setup.served()).toEqual([second]);
  expect((await setup.run('status')).result).toMatchObject({ status: 'rolled back', run_key: 'third' });

  // The index that the second run replaced is deleted by now.
  const twice = await setup.run('rollback');
  expect(twice.code).toBe(1);
  expect(twice.result['error']).toContain(`${first}, which was served before, is deleted`);
  const same = await setup.run('rollback', '--run-key', 'third');
  expect(same.code).toBe(1);
  expect(same.result['error']).toContain('the run with key third has no promotion to roll back');
  expect(await setup.served()).toEqual([second]);

  const forth = await setup.run('promote', '--run-key', 'third');
  expect(forth.code, forth.stderr).toBe(0);
  expect(await setup.served()).toEqual([third]);
  const again = await setup.run('rollback');
  expect(again.result).toMatchObject({ status: 'rolled back', restored: [second] });
});
