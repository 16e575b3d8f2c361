import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentsInTable, documentsOf, sql } from '../support/run-documents.ts';
import { setUpRun } from '../support/run-setup.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** The whole run, as its user meets it: a command, an exit code, lines on two outputs, and an index. */

const ROWS = 4_000;
const FILTERED = ROWS / 100;
const TABLE = `
  CREATE TABLE places (
    id bigint PRIMARY KEY, name text, population integer, area numeric, tags text[], about jsonb, founded date,
    shown boolean);
  INSERT INTO places
    SELECT n * 3 - 6000, CASE WHEN n % 7 <> 0 THEN 'place "' || n || '" ü' END, nullif(n % 5, 0) * 1000,
      n::numeric / 7, CASE WHEN n % 3 = 0 THEN ARRAY['a', NULL, 'b' || n] END,
      CASE WHEN n % 4 = 0 THEN jsonb_build_object('n', n, 'none', NULL) END, date '1800-01-01' + n, n % 100 <> 0
    FROM generate_series(1, ${ROWS}) n;
  CREATE TABLE heights (id bigint PRIMARY KEY, height text);
  INSERT INTO heights SELECT n, CASE WHEN n = 77 THEN '1969-07-20' ELSE n::text END FROM generate_series(1, 200) n;
  ANALYZE;`;
const FIELDS = ['name', 'population', 'area', 'tags', 'founded', 'about'];
const PLACES = {
  source: { table: 'places', key: 'id', where: 'places.shown' },
  document: {
    ...Object.fromEntries(FIELDS.map((field) => [field, `places.${field}`])),
    about: { sql: 'places.about', mapping: { type: 'object', enabled: false } },
  },
};
const EXPECTED = `
  SELECT id::text, json_build_object('id', id, ${FIELDS.map((field) => `'${field}', ${field}`).join(', ')})::text AS document
  FROM places WHERE shown`;
const HEIGHTS = {
  source: { table: 'heights', key: 'id' },
  document: { height: { sql: 'heights.height', mapping: { type: 'integer' } } },
};
const ONE_WORKER = { workers: { count: 1 } };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await sql(database.url, TABLE);
});
afterAll(() => database.drop());

it('a run makes an index that equals the table, moves the alias, and prints its result as the last line', {
  timeout: 120_000,
}, async (scope) => {
  const settings = { ranges: { count: 5 } };
  const setup = await setUpRun(scope, { databaseUrl: database.url, definition: PLACES, settings });

  const ended = await setup.run('run', '--run-key', 'first');

  const result = resultOf(ended);
  const { stdout, log, stderr } = ended;
  expect(stdout).toHaveLength(1);
  expect(result).toMatchObject({
    status: 'done',
    run_key: 'first',
    workers: 2,
    rows: ROWS,
    targets: [
      {
        alias: setup.alias,
        previous_indexes: [],
        filtered: FILTERED,
        indexed: ROWS - FILTERED,
        superseded: 0,
        dead_letters: 0,
        read_again: { ranges: 0, rows: 0, passes: 0 },
        stale: null,
        validated: { rows: ROWS, filtered: FILTERED, documents: ROWS - FILTERED, dead_letters: 0, ranges: 5 },
      },
    ],
  });
  expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
  expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url, EXPECTED));
  expect(log.filter(({ msg }) => msg === 'phase finished')).toHaveLength(8);
  expect(await setup.workers()).toEqual([]);
  expect(stderr).not.toContain(new URL(database.url).password);
});

describe('a row that the cluster refuses', { timeout: 120_000 }, () => {
  it('keeps the alias where it is until a person accepts the row', async (scope) => {
    const setup = await setUpRun(scope, {
      databaseUrl: database.url,
      definition: HEIGHTS,
      settings: ONE_WORKER,
    });

    const refused = await setup.run('run', '--run-key', 'k');
    expect(errorOf(refused, 1)).toMatch(/could not become documents: 1, .*--promote-limit 1/s);
    expect(await setup.served()).toEqual([]);
    const [target = '', companion = ''] = await setup.indexes();
    expect(await documentsOf(companion)).toEqual({
      77: {
        id: { number: '77' },
        type: expect.stringContaining('parsing_exception'),
        reason: expect.any(String),
        fields: null,
      },
    });

    resultOf(await setup.run('promote', '--promote-limit', '1'));
    expect(await setup.served()).toEqual([target]);

    const finished = resultOf(await setup.run('run', '--run-key', 'k'));
    expect(finished).toMatchObject({
      status: 'done',
      rows: 200,
      targets: [{ indexed: 199, dead_letters: 1, index: target }],
    });
    expect(Object.keys(await documentsOf(setup.alias))).toHaveLength(199);
  });

  it('is promoted as a dead letter within promote_limit, with the fields that the definition keeps', async (scope) => {
    const definition = { ...HEIGHTS, dead_letters: { promote_limit: 1, keep_fields: ['height'] } };
    const setup = await setUpRun(scope, { databaseUrl: database.url, definition, settings: ONE_WORKER });

    const result = resultOf(await setup.run('run'));

    expect(result).toMatchObject({ targets: [{ indexed: 199, dead_letters: 1 }] });
    const letters = await documentsOf(`${String(onlyTarget(result)['index'])}-dead-letters`);
    expect(letters).toMatchObject({ 77: { fields: { height: '1969-07-20' } } });
  });

  it('ends the run at zero when stop_limit is exceeded', async (scope) => {
    const definition = { ...HEIGHTS, dead_letters: { promote_limit: 0, stop_limit: 0 } };
    const setup = await setUpRun(scope, { databaseUrl: database.url, definition, settings: ONE_WORKER });

    expect(errorOf(await setup.run('run'), 1)).toContain('stop_limit of 0');
    expect(await setup.workers()).toEqual([]);
  });
});

const MANY = `SELECT n AS id, 'n' || n AS name FROM generate_series(1, 1500) n`;
const SHAPES: readonly (readonly [name: string, statements: string, table: string, rows: number])[] = [
  ['an empty table', 'CREATE TABLE empty (id int PRIMARY KEY, name text)', 'empty', 0],
  [
    'a table of one row',
    `CREATE TABLE single (id int PRIMARY KEY, name text); INSERT INTO single VALUES (0, NULL)`,
    'single',
    1,
  ],
  [
    'a table with keys at both ends of bigint',
    `CREATE TABLE ends (id bigint PRIMARY KEY, name text);
     INSERT INTO ends VALUES (-9223372036854775808, 'least'), (0, 'zero'), (9223372036854775806, 'last but one'), (9223372036854775807, 'greatest')`,
    'ends',
    4,
  ],
  [
    'a table with gaps and negative keys',
    `CREATE TABLE gaps (id bigint PRIMARY KEY, name text);
     INSERT INTO gaps SELECT CASE WHEN n % 3 = 0 THEN -n * n ELSE n * 1000000007::bigint END, 'n' || n FROM generate_series(1, 3000) n`,
    'gaps',
    3_000,
  ],
  [
    'a view',
    `CREATE TABLE behind (id int PRIMARY KEY, name text); INSERT INTO behind ${MANY};
     CREATE VIEW seen AS SELECT id, upper(name) AS name FROM behind WHERE id % 2 = 0`,
    'seen',
    750,
  ],
  [
    'a partitioned table',
    `CREATE TABLE parts (id int NOT NULL, name text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
     CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (500);
     CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (500) TO (MAXVALUE);
     INSERT INTO parts ${MANY}`,
    'parts',
    1_500,
  ],
];

describe('a run on a table of any shape', { timeout: 120_000 }, () => {
  sampled(SHAPES, 1)('makes an index that equals %s', async ([, statements, table, rows], scope) => {
    await sql(database.url, `${statements}; ANALYZE ${table === 'seen' ? 'behind' : table}`);
    const definition = { source: { table, key: 'id' }, document: { name: `${table}.name` } };
    const settings = { ...ONE_WORKER, ranges: { count: 3 } };
    const setup = await setUpRun(scope, { databaseUrl: database.url, definition, settings });

    const result = resultOf(await setup.run('run'));

    expect(result).toMatchObject({
      rows,
      targets: [{ indexed: rows, dead_letters: 0, validated: { documents: rows } }],
    });
    const expected = `SELECT id::text, json_build_object('id', id, 'name', name)::text AS document FROM ${table}`;
    expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url, expected));
  });
});
