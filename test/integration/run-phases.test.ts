import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sql } from '../support/run-documents.ts';
import { isHeld } from '../support/run-journal.ts';
import { setUpRun } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';

/** A run by hand: each phase by its name, and what looks at a run or ends it. */

const database = placesDatabase();
const SMALL = { workers: { count: 1 } };
const BY_NAME = ['claim', 'create-index', 'reindex', 'finalize', 'validate', 'promote', 'retain', 'release'];

it('the phases by name do what a run does, in their order only', { timeout: 180_000 }, async (scope) => {
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings: SMALL });
  const unclaimed = await setup.run('create-index', '--run-key', 'k');
  expect(unclaimed.code).toBe(1);
  expect(unclaimed.result['error']).toContain('reindex-fleet claim');
  expect((await setup.run('status')).result['status']).toBe('no run yet');

  for (const [i, phase] of BY_NAME.entries()) {
    const later = BY_NAME[i + 2];
    if (i === 1 || phase === 'validate') {
      const early = await setup.run(later ?? '', '--run-key', 'k');
      expect(early.code).toBe(1);
      expect(early.result['error']).toContain(`before ${later} comes ${phase}`);
    }
    const done = await setup.run(phase, '--run-key', 'k');
    expect(done.code, done.stderr).toBe(0);
    if (phase !== 'release') {
      expect(done.result).toMatchObject({ status: 'unfinished', run_key: 'k', phases_done: ['plan', ...BY_NAME.slice(0, i + 1)] });
      expect(await isHeld(setup)).toBe(true);
    } else expect(done.result).toMatchObject({ status: 'done', rows: ROWS, indexed: ROWS });
    if (phase === 'claim' || phase === 'reindex') {
      const status = await setup.run('status', '--target', 'http://127.0.0.1:1');
      expect(status.code).toBe(0);
      expect(status.result).toMatchObject({ run_key: 'k', held_by: 'k', phases_done: ['plan', ...BY_NAME.slice(0, i + 1)] });
    }
  }
  expect(await isHeld(setup)).toBe(false);
  expect(await setup.served()).toHaveLength(1);
  expect((await setup.run('status')).result).toMatchObject({ status: 'finished', held_by: null, process: null });
});

it('abandon deletes what an unfinished run made and frees the fleet', { timeout: 120_000 }, async (scope) => {
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings: SMALL });
  expect((await setup.run('abandon')).result['status']).toBe('nothing to abandon');
  await setup.run('claim', '--run-key', 'k');
  await setup.run('create-index');
  expect(await setup.indexes()).toHaveLength(2);

  const other = await setup.run('abandon', '--run-key', 'another');
  expect(other.code).toBe(1);
  const abandoned = await setup.run('abandon');

  expect(abandoned.code, abandoned.stderr).toBe(0);
  expect(abandoned.result).toMatchObject({ status: 'abandoned', run_key: 'k' });
  expect(await setup.indexes()).toEqual([]);
  expect(await isHeld(setup)).toBe(false);
  expect((await setup.run('status')).result['status']).toBe('abandoned');
  const same = await setup.run('run', '--run-key', 'k');
  expect(same.code).toBe(1);
  expect(same.result['error']).toContain('abandoned');
  expect((await setup.run('run')).code).toBe(0);
});

it('plan says what a run would do, and touches neither journal nor cluster', { timeout: 120_000 }, async (scope) => {
  const rows = 110_000;
  await sql(
    database.url(),
    `CREATE TABLE many (id int PRIMARY KEY, name text); INSERT INTO many SELECT n, 'n' || n FROM generate_series(1, ${rows}) n;
     UPDATE many SET name = 'x' WHERE id % 2 = 0; ANALYZE many`,
  );
  const definition = { source: { table: 'many', key: 'id' }, document: { name: 'many.name' } };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings: { workers: { count: 3 } } });

  const [planned, exact] = await Promise.all([setup.run('plan'), setup.run('plan', '--exact')]);

  expect(planned.code, planned.stderr).toBe(0);
  expect(planned.result).toMatchObject({ status: 'planned', workers: 3, alias: setup.alias, alias_serves: [], would_delete: [], expected_seconds: null });
  expect(exact.result).toMatchObject({ rows, rows_exact: true });
  expect(existsSync(setup.journal)).toBe(false);
  expect(await setup.indexes()).toEqual([]);
});
