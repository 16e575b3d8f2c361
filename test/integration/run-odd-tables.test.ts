import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunPlan } from '../../orchestrator/reconcile/run-plan.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { resultOf } from '../support/run-command.ts';
import { documentsInTable, documentsOf, sql } from '../support/run-documents.ts';
import { createGate, createGateFunction } from '../support/run-gate.ts';
import { rangesDone, stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun } from '../support/run-setup.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** Whole runs over tables that are hard to divide: whatever the plan makes of them, the index equals the table. */

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await createGateFunction(database.url);
});
afterAll(() => database.drop());

/** All tables here have the columns `id` and `name`. */
function definitionOf(table: string) {
  return { source: { table, key: 'id' }, document: { name: `${table}.name` } };
}

async function expectIndexEquals(setup: RunSetup, table: string, where = 'true'): Promise<void> {
  const rows = `SELECT id::text, json_build_object('id', id, 'name', name)::text AS document FROM ${table} WHERE ${where}`;
  expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url, rows));
}

/** What the newest run recorded as its plan. */
async function planOf(setup: RunSetup): Promise<RunPlan> {
  const plan = (await stateOf(setup))?.plan;
  return plan ?? { keyKind: 'integer', ranges: [], bounds: null };
}

/** Keys at both ends of bigint, below zero, neighbours, and gaps of nearly everything between. */
const ODD_KEYS = `
  SELECT id, 'name ' || id AS name FROM unnest(ARRAY[-9223372036854775808, -9223372036854775807, -1000000000000, -3, 0,
    5, 6, 1000000007, 1000000000000000, 9223372036854775806, 9223372036854775807]) AS id`;
const LEAST_TO_GREATEST = { min: '-9223372036854775808', max: '9223372036854775807' };
/** Nothing is known of it, and nothing will be while a test lasts. */
const NEVER_ANALYSED = 'WITH (autovacuum_enabled = false)';

const WORKERS = 3;
const ODD_TABLES: readonly (readonly [name: string, statements: string, table: string, rows: number])[] = [
  [
    'a table with sub-partitions, a default partition and an empty one',
    `CREATE TABLE parts (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id);
     CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (0) PARTITION BY RANGE (id);
     CREATE TABLE parts_lowest PARTITION OF parts_low FOR VALUES FROM (MINVALUE) TO (-1000) ${NEVER_ANALYSED};
     CREATE TABLE parts_lower PARTITION OF parts_low FOR VALUES FROM (-1000) TO (0) ${NEVER_ANALYSED};
     CREATE TABLE parts_empty PARTITION OF parts FOR VALUES FROM (100) TO (200) ${NEVER_ANALYSED};
     CREATE TABLE parts_rest PARTITION OF parts DEFAULT ${NEVER_ANALYSED};
     INSERT INTO parts SELECT * FROM (${ODD_KEYS}) AS odd WHERE id NOT IN (0, 5)`,
    'parts',
    9,
  ],
  [
    'a view of a table that was never analysed',
    `CREATE TABLE below (id bigint PRIMARY KEY, name text) ${NEVER_ANALYSED};
     INSERT INTO below ${ODD_KEYS};
     CREATE VIEW seen AS SELECT id, upper(name) AS name FROM below WHERE id <> 0`,
    'seen',
    10,
  ],
  [
    'a materialized view',
    `CREATE MATERIALIZED VIEW kept AS ${ODD_KEYS}; CREATE UNIQUE INDEX ON kept (id)`,
    'kept',
    11,
  ],
  [
    'a table with fewer rows than workers',
    `CREATE TABLE few (id bigint PRIMARY KEY, name text) ${NEVER_ANALYSED};
     INSERT INTO few VALUES (-9223372036854775808, 'least'), (9223372036854775807, 'greatest')`,
    'few',
    2,
  ],
];

describe('a run with one range for each worker on odd keys', { timeout: 120_000 }, () => {
  sampled(ODD_TABLES, 1)('indexes every row of %s', async ([, statements, table, rows], scope) => {
    await sql(database.url, statements);
    const settings = { workers: { count: WORKERS }, ranges: { count: WORKERS } };
    const definition = definitionOf(table);
    const setup = await setUpRun(scope, { databaseUrl: database.url, definition, settings });

    const result = resultOf(await setup.run('run'));

    const validated = { documents: rows, ranges: Math.min(rows, WORKERS) };
    expect(result).toMatchObject({ rows, targets: [{ indexed: rows, dead_letters: 0, validated }] });
    expect((await planOf(setup)).bounds).toEqual(LEAST_TO_GREATEST);
    await expectIndexEquals(setup, table);
  });
});

/** Of some keys far apart, most with nothing between; the planner believes in a billion rows. */
const BELIEVED_LARGE = `
  CREATE TABLE believed (id bigint PRIMARY KEY, name text) ${NEVER_ANALYSED};
  INSERT INTO believed
    SELECT (n % 4 - 2 << 60) + CASE WHEN n < 2000 THEN n ELSE n * 100000::bigint END, 'n' || n FROM generate_series(1, 4000) n;
  CREATE VIEW believed_view AS SELECT id, name || '!' AS name FROM believed WHERE name IS NOT NULL;
  ANALYZE believed;
  UPDATE pg_class SET reltuples = 1e9 WHERE oid = 'believed'::regclass`;

describe('a run with a planner that is far off', { timeout: 120_000 }, () => {
  beforeAll(() => sql(database.url, BELIEVED_LARGE));

  sampled(['believed', 'believed_view'], 1)('indexes every row of the relation %s', async (table, scope) => {
    const definition = definitionOf(table);
    const settings = { ranges: { count: 7 } };
    const setup = await setUpRun(scope, { databaseUrl: database.url, definition, settings });

    const result = resultOf(await setup.run('run'));

    expect(result).toMatchObject({
      rows: 4000,
      targets: [{ indexed: 4000, validated: { documents: 4000, ranges: 7 } }],
    });
    const expected = (await planOf(setup)).ranges.map((range) => range.rows);
    for (const rows of expected) expect(Math.abs(rows - 4000 / 7)).toBeLessThan(0.3 * (4000 / 7));
    await expectIndexEquals(setup, table);
  });
});

it('a run indexes rows of 100 bytes and of a megabyte, and dead-letters those above max_document_bytes', {
  timeout: 120_000,
}, async (scope) => {
  await sql(
    database.url,
    `CREATE TABLE sizes (id bigint PRIMARY KEY, name text) ${NEVER_ANALYSED};
     INSERT INTO sizes
       SELECT n, repeat('x', CASE WHEN n % 100 = 0 THEN 2000000 WHEN n > 1000 AND n % 20 = 10 THEN 1000000 ELSE 100 END)
       FROM generate_series(1, 1400) n`,
  );
  // Not analysed, for a text without a space is one word, and too long for one.
  const name = { sql: 'sizes.name', mapping: { type: 'keyword', index: false, doc_values: false } };
  const definition = {
    ...definitionOf('sizes'),
    document: { name },
    max_document_bytes: '1MiB',
    dead_letters: { promote_limit: 14 },
  };
  const setup = await setUpRun(scope, { databaseUrl: database.url, definition });

  const result = resultOf(await setup.run('run'));

  expect(result).toMatchObject({ rows: 1400, targets: [{ indexed: 1386, dead_letters: 14 }] });
  const bytes = (await planOf(setup)).ranges.map((range) => range.bytes);
  expect(bytes.length).toBeGreaterThan(4);
  expect(Math.max(...bytes)).toBeLessThan(48_200_000 / bytes.length + 2_200_000);
  await expectIndexEquals(setup, 'sizes', 'id % 100 <> 0');
});

it('a run includes rows that are inserted below, between and above while it reads', {
  timeout: 120_000,
}, async (scope) => {
  await sql(
    database.url,
    `CREATE TABLE growing (id bigint PRIMARY KEY, name text) ${NEVER_ANALYSED};
     INSERT INTO growing SELECT n * 10, to_char(n, 'FM0000') FROM generate_series(1, 2000) n`,
  );
  const gate = await createGate(database.url, 'growing.id', 10_000);
  scope.onTestFinished(() => gate.close());
  const setup = await setUpRun(scope, {
    databaseUrl: database.url,
    definition: {
      ...definitionOf('growing'),
      document: { name: 'growing.name', passed: gate.expression },
    },
    settings: { ranges: { count: 8 }, workers: { count: 2 } },
  });
  await gate.shut();
  const run = setup.start('run');
  await rangesDone(setup, 4);
  const later =
    'ARRAY[-9223372036854775808, -7, 5, 5005, 12345, 19999, 20001, 9223372036854775807]::bigint[]';
  await sql(
    database.url,
    `INSERT INTO growing SELECT id, 'later' FROM unnest(${later}) AS id;
     DELETE FROM growing WHERE id IN (10, 15000, 20000)`,
  );
  await gate.open();

  const result = resultOf(await run.ended);

  expect(result).toMatchObject({ targets: [{ validated: { rows: 2005, documents: 2005 } }] });
  const { rows: readAgain } = onlyTarget(result)['read_again'] as { rows: number };
  expect(readAgain).toBeGreaterThan(0);
  expect((await planOf(setup)).bounds).toEqual({ min: '10', max: '20000' });
  const rows = `SELECT id::text, json_build_object('id', id, 'name', name, 'passed', true)::text AS document FROM growing`;
  expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url, rows));
});
