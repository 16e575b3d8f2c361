import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type EndedCommand, errorOf, resultOf } from '../support/run-command.ts';
import { sql } from '../support/run-documents.ts';
import { isHeld } from '../support/run-journal.ts';
import { setUpRun } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { onlyTarget } from '../support/run-values.ts';

/** A run by hand: each phase by its name, and what looks at a run or ends it. */

const database = placesDatabase();
const SMALL = { workers: { count: 1 } };
const PHASES = [
  'plan',
  'claim',
  'create-index',
  'reindex',
  'finalize',
  'validate',
  'promote',
  'retain',
  'release',
];

it('the phase commands do what a run does, in their order only', { timeout: 180_000 }, async (scope) => {
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings: SMALL });
  const perform = (phase: string): Promise<EndedCommand> => setup.run(phase, '--run-key', 'k');
  const refused = async (phase: string): Promise<string> => errorOf(await perform(phase), 1);
  /** From the journal alone: there is no cluster at this address. */
  const status = async () => resultOf(await setup.run('status', '--target', 'http://127.0.0.1:1'));
  const doneThrough = (phase: string) => ({
    run_key: 'k',
    phases_done: PHASES.slice(0, PHASES.indexOf(phase) + 1),
  });

  expect(await status()).toMatchObject({ status: 'no run yet', held_by: null });
  expect(await refused('create-index')).toContain('reindex-fleet claim');
  expect(resultOf(await perform('claim'))).toMatchObject({ status: 'unfinished', ...doneThrough('claim') });
  expect(await status()).toMatchObject({
    held_by: 'k',
    process: null,
    targets: [{ alias: setup.alias }],
    ...doneThrough('claim'),
  });
  expect(await refused('finalize')).toContain('finalize needs create-index and reindex first');

  for (const phase of ['create-index', 'reindex', 'finalize']) {
    expect(resultOf(await perform(phase))).toMatchObject({ status: 'unfinished', ...doneThrough(phase) });
  }
  expect(await status()).toMatchObject({
    settled: { rows: ROWS, targets: [{ indexed: ROWS }] },
    ...doneThrough('finalize'),
  });
  expect(await refused('promote')).toContain('promote needs validate first');
  expect(await setup.served()).toEqual([]);

  for (const phase of ['validate', 'promote', 'retain']) {
    expect(resultOf(await perform(phase))).toMatchObject({ status: 'unfinished', ...doneThrough(phase) });
  }
  expect(await isHeld(setup)).toBe(true);
  const result = resultOf(await perform('release'));
  expect(result).toMatchObject({ status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] });
  expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
  expect(await status()).toMatchObject({ status: 'finished', held_by: null, process: null, result });
});

it('abandon deletes what an unfinished run made and frees the fleet', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings: SMALL });
  expect(resultOf(await setup.run('abandon'))['status']).toBe('nothing to abandon');
  for (const phase of ['claim', 'create-index']) resultOf(await setup.run(phase, '--run-key', 'k'));
  expect(await setup.indexes()).toHaveLength(2);

  expect(errorOf(await setup.run('abandon', '--run-key', 'another'), 1)).toContain(
    'the run with key k holds the fleet',
  );
  const down = await setup.run('abandon', '--target', 'http://127.0.0.1:1');
  expect(errorOf(down, 1)).toContain('nothing listens there: start the cluster');
  expect(await isHeld(setup)).toBe(true);
  expect(resultOf(await setup.run('abandon'))).toMatchObject({ status: 'abandoned', run_key: 'k' });
  expect(await setup.indexes()).toEqual([]);
  expect(await isHeld(setup)).toBe(false);
  // Neither again nor for an unknown key is there anything to do, or a cluster needed.
  const again = await setup.run('abandon', '--run-key', 'k', '--target', 'http://127.0.0.1:1');
  expect(resultOf(again)).toEqual({ status: 'abandoned', run_key: 'k', abandoned_before: true });
  expect(resultOf(await setup.run('abandon', '--run-key', 'unknown'))['status']).toBe('nothing to abandon');
  expect(resultOf(await setup.run('status'))).toMatchObject({ status: 'abandoned', held_by: null });
  expect(resultOf(await setup.run('run', '--run-key', 'k'))).toMatchObject({ status: 'done', run_key: 'k' });
});

it('a run is resumed with a definition of the same meaning, and refused with another', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const definition = { ...PLACES, document: { name: 'places.name', changed: 'places.changed_at' } };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings: SMALL });
  resultOf(await setup.run('claim', '--run-key', 'k'));

  for (const document of [
    { name: 'upper(places.name)', changed: 'places.changed_at' },
    { name: 'places.name' },
    // In another order the two halves of the index would not look alike.
    { changed: 'places.changed_at', name: 'places.name' },
  ]) {
    await setup.redefine({ document });
    expect(errorOf(await setup.run('create-index', '--run-key', 'k'), 1)).toContain('another definition');
    expect(errorOf(await setup.run('run'), 3)).toContain('began with another definition');
  }
  // Other order of sections, other words for the same, and what changes nothing that is written.
  await setup.redefine({ retain: 3, source: { key: 'id', table: 'places' }, unrepresentable: 'null' });
  expect(resultOf(await setup.run('create-index', '--run-key', 'k'))['status']).toMatch(/^unfinished/);
});

it('plan tells what a run would do, and changes neither journal nor cluster', {
  timeout: 120_000,
}, async (scope) => {
  const rows = 110_000;
  await sql(
    database.url(),
    `CREATE TABLE many (id int PRIMARY KEY, name text); INSERT INTO many SELECT n, 'n' || n FROM generate_series(1, ${rows}) n;
     UPDATE many SET name = 'x' WHERE id % 2 = 0; ANALYZE many`,
  );
  const definition = { source: { table: 'many', key: 'id' }, document: { name: 'many.name' } };
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition,
    settings: { workers: { count: 3 } },
  });

  const [planned, exact] = await Promise.all([setup.run('plan'), setup.run('plan', '--exact')]);

  const nothingThere = {
    alias: setup.alias,
    alias_serves: [],
    would_keep: [],
    would_delete: [],
    expected_seconds: null,
  };
  expect(resultOf(planned)).toMatchObject({
    status: 'planned',
    workers: 3,
    rows_exact: false,
    bytes_per_row: expect.toSatisfy(Number.isInteger),
    ...nothingThere,
  });
  expect(resultOf(exact)).toMatchObject({ rows, rows_exact: true });
  expect(existsSync(setup.journal)).toBe(false);
  expect(await setup.indexes()).toEqual([]);
});
