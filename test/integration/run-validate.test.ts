import { expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentsInTable, documentsOf, sql } from '../support/run-documents.ts';
import { createGate } from '../support/run-gate.ts';
import { rangesDone } from '../support/run-journal.ts';
import { type RunSetup, SEARCH_URL, setUpRun } from '../support/run-setup.ts';
import { placesDatabase } from '../support/run-table.ts';
import { bulk, call, uniqueName } from '../support/search-calls.ts';

/** What two counts that agree could hide, in whole runs. */

const ROWS = 2_000;
const database = placesDatabase();

/** A table of this test's own, with keys from 1 on, and its definition. */
async function createTable() {
  const table = uniqueName('moving').replace('-', '_');
  await sql(
    database.url(),
    `CREATE TABLE ${table} AS SELECT n AS id, 'place ' || n AS name FROM generate_series(1, ${ROWS}) n;
     ALTER TABLE ${table} ADD PRIMARY KEY (id); ANALYZE ${table}`,
  );
  const expected = `SELECT id::text, json_build_object('id', id, 'name', name)::text AS document FROM ${table}`;
  return {
    table,
    definition: { source: { table, as: 'place', key: 'id' }, document: { name: 'place.name' } },
    held: () => documentsInTable(database.url(), expected),
  };
}

it('validation finds a row that came and one that went behind the reading, and the range is read again', {
  timeout: 120_000,
}, async (scope) => {
  const { table, definition, held } = await createTable();
  const gate = await createGate(database.url(), 'place.id', ROWS * 0.75);
  scope.onTestFinished(() => gate.close());
  const gated = { ...definition, source: { ...definition.source, where: gate.expression } };
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: gated,
    settings: { ranges: { count: 2 } },
  });
  await gate.shut();
  const run = setup.start('run');
  // Two workers: the second range stands before the gate, so the first one is done.
  await rangesDone(setup, 1);
  await sql(
    database.url(),
    `DELETE FROM ${table} WHERE id = 5; INSERT INTO ${table} VALUES (-3, 'place -3')`,
  );
  await gate.open();

  const ended = await run.ended;

  expect(ended.stderr).toContain('1 range did not match and is read again once');
  expect(resultOf(ended)).toMatchObject({
    status: 'done',
    targets: [{ validated: { documents: ROWS, ranges_by_keys: 2 } }],
  });
  expect(await documentsOf(setup.alias)).toEqual(await held());
});

/** A run that stands before `validate`, in whose index a document was lost and another is too many. */
async function withLostDocument(setup: RunSetup): Promise<void> {
  for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
    resultOf(await setup.run(phase, '--run-key', 'k'));
  const [index = ''] = await setup.indexes();
  const alias = `${index}-by-hand`;
  await call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ add: { index, alias } }] });
  const outcomes = await bulk(SEARCH_URL, alias, [
    { delete: { _id: '1777' } },
    { index: { _id: '9999999' } },
    { id: 9_999_999, name: 'nobody wrote this' },
  ]);
  await call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ remove: { index, alias } }] });
  await call(SEARCH_URL, 'POST', `/${index}/_refresh`);
  expect(outcomes.map(({ status }) => status)).toEqual([200, 201]);
}

it('validation by keys finds a lost document beside a surplus one, and the range is repaired', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const { definition, held } = await createTable();
  const settings = { ranges: { count: 4 }, validate: { concurrency: 2 } };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });
  await withLostDocument(setup);

  const ended = await setup.run('run', '--run-key', 'k');

  expect(ended.stderr).toContain('1 range did not match and is read again once');
  expect(ended.stderr).toMatch(/"note":"2,000 documents, key by key, in 4 ranges; \d+ samples compared"/);
  expect(resultOf(ended)).toMatchObject({
    status: 'done',
    targets: [{ validated: { ranges: 4, ranges_by_keys: 4 } }],
  });
  expect(await documentsOf(setup.alias)).toEqual(await held());
});

it('validation by counts compares keys only in ranges that were given out more than once', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const { definition } = await createTable();
  const settings = { ranges: { count: 4 }, validate: { compare: 'counts' } };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });

  const ended = await setup.run('run');

  expect(ended.stderr).toMatch(
    /"note":"2,000 documents counted in 4 ranges, 0 of them key by key; \d+ samples compared"/,
  );
  expect(resultOf(ended)).toMatchObject({
    status: 'done',
    targets: [{ validated: { ranges: 4, ranges_by_keys: 0 } }],
  });
});

it('validation refuses an index of other rows in the right number and names keys, and the alias stays', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const { definition } = await createTable();
  const odd = `CASE WHEN current_setting('application_name') = 'reindex-fleet worker' THEN 1 ELSE 0 END`;
  const source = { ...definition.source, where: `place.id % 2 = ${odd}` };
  const settings = { ranges: { count: 1 } };
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: { ...definition, source },
    settings,
  });

  const refusal = errorOf(await setup.run('run'), 1);

  expect(refusal).toContain(
    'keys … to …: 1000, as many as expected, but not the same; missing 1000: 2, 4, 6, 8, 10, 12, 14, 16, 18, 20; not in the table 1000: 1, 3, 5, 7, 9, 11, 13, 15, 17, 19',
  );
  expect(await setup.served()).toEqual([]);
});

it('validation refuses rows whose key is NULL, although the catalogue says NOT NULL and every range agrees', {
  timeout: 120_000,
}, async (scope) => {
  const table = uniqueName('keyless').replaceAll('-', '_');
  await sql(
    database.url(),
    `CREATE TABLE ${table} (id bigint UNIQUE, name text);
     INSERT INTO ${table} SELECT n, 'place ' || n FROM generate_series(1, ${ROWS}) n;
     ALTER TABLE ${table} ADD CONSTRAINT keyed NOT NULL id NOT VALID; ANALYZE ${table}`,
  );
  const definition = { source: { table, as: 'place', key: 'id' }, document: { name: 'place.name' } };
  const settings = { ranges: { count: 4 } };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });
  for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
    resultOf(await setup.run(phase, '--run-key', 'k'));
  await sql(
    database.url(),
    `ALTER TABLE ${table} DROP CONSTRAINT keyed;
     INSERT INTO ${table} SELECT NULL, 'lost' FROM generate_series(1, 7);
     ALTER TABLE ${table} ADD CONSTRAINT keyed NOT NULL id NOT VALID`,
  );

  const refusal = errorOf(await setup.run('run', '--run-key', 'k'), 1);

  expect(refusal).toContain(`7 rows of the 2,007 of ${table} lie in no range of keys`);
  expect(await setup.served()).toEqual([]);
  await sql(database.url(), `DELETE FROM ${table} WHERE id IS NULL`);
  expect(resultOf(await setup.run('run', '--run-key', 'k'))).toMatchObject({ status: 'done' });
});
