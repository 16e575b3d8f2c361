import { expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { type RunSetup, setUpRun } from '../support/run-setup.ts';
import { onlyTarget } from '../support/run-values.ts';

/** What stands beside a run's index: those of runs before it, and the way back to them. */

const database = placesDatabase();

async function runOnce(setup: RunSetup, ...args: string[]): Promise<string> {
  const result = resultOf(await setup.run('run', ...args));
  expect(result).toMatchObject({ status: 'done', targets: [{ indexed: ROWS }] });
  return String(onlyTarget(result)['index']);
}

const withCompanions = (...indexes: string[]): string[] =>
  indexes.flatMap((index) => [index, `${index}-dead-letters`]).sort();

it('each run makes its own index, keeps `retain` former ones, and can be rolled back', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: { ...PLACES, retain: 1 },
    settings: { workers: { count: 1 } },
  });

  const first = await runOnce(setup);
  expect(errorOf(await setup.run('rollback'), 1)).toContain('nothing to roll back to');
  const second = await runOnce(setup, '--run-key', 'second');
  expect(await setup.indexes()).toEqual(withCompanions(first, second));
  const third = await runOnce(setup, '--run-key', 'third');
  expect(new Set([first, second, third]).size).toBe(3);
  expect(await setup.served()).toEqual([third]);
  expect(await setup.indexes()).toEqual(withCompanions(second, third));

  const back = {
    status: 'rolled back',
    run_key: 'third',
    targets: [{ left: third, restored: [second] }],
  };
  expect(resultOf(await setup.run('rollback'))).toMatchObject(back);
  expect(await setup.served()).toEqual([second]);
  expect(resultOf(await setup.run('status'))).toMatchObject({ status: 'rolled back', run_key: 'third' });

  // The index that the second run replaced is deleted by now.
  expect(errorOf(await setup.run('rollback'), 1)).toContain(
    `${first}, which was served before, has been deleted`,
  );
  const same = await setup.run('rollback', '--run-key', 'third');
  expect(resultOf(same)).toMatchObject({ ...back, rolled_back_before: true });
  expect(await setup.served()).toEqual([second]);

  // Not while an unfinished run holds the alias.
  resultOf(await setup.run('claim', '--run-key', 'fourth'));
  expect(errorOf(await setup.run('promote', '--run-key', 'third'), 3)).toContain('the run with key fourth');
  expect(errorOf(await setup.run('rollback'), 3)).toContain('the run with key fourth');
  resultOf(await setup.run('abandon'));
  resultOf(await setup.run('promote', '--run-key', 'third'));
  expect(await setup.served()).toEqual([third]);
  expect(resultOf(await setup.run('rollback'))).toMatchObject(back);
});
