import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { documentsInTable, documentsOf, sql } from '../support/run-documents.ts';
import { setUpRun } from '../support/run-setup.ts';

/** The whole run, as its user meets it: a command, an exit code, lines on two outputs, and an index. */

const ROWS = 4_000;
const FILTERED = ROWS / 100;
const TABLE = `
  CREATE TABLE places (
    id bigint PRIMARY KEY, name text, population integer, area numeric, tags text[], about jsonb, founded date,
    seen timestamptz, shown boolean, floor text);
  INSERT INTO places
    SELECT n * 3 - 6000, CASE WHEN n % 7 <> 0 THEN 'place "' || n || '" ü' END, nullif(n % 5, 0) * 1000,
      n::numeric / 7, CASE WHEN n % 3 = 0 THEN ARRAY['a', NULL, 'b' || n] END,
      CASE WHEN n % 4 = 0 THEN jsonb_build_object('n', n, 'none', NULL) END, date '1800-01-01' + n,
      timestamptz '2020-02-03 04:05:06.789+02' + n * interval '1 hour', n % 100 <> 0, (n % 10)::text
    FROM generate_series(1, ${ROWS}) n;
  ANALYZE places;`;
const FIELDS = ['name', 'population', 'area', 'tags', 'founded', 'about'];
const DOCUMENT = {
  ...Object.fromEntries(FIELDS.map((field) => [field, `places.${field}`])),
  about: { sql: 'places.about', mapping: { type: 'object', enabled: false } },
};
const EXPECTED = `SELECT id::text, json_build_object('id', id, ${FIELDS.map((field) => `'${field}', ${field}`).join(', ')})::text AS document FROM places`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await sql(database.url, TABLE);
});
afterAll(() => database.drop());

it('a run makes an index that equals the table, moves the alias, and says so in its last line', async (scope) => {
  const definition = { source: { table: 'places', key: 'id', where: 'places.shown' }, document: DOCUMENT };
  const setup = await setUpRun(scope, { databaseUrl: database.url, definition, settings: { ranges: { count: 5 } } });

  const { code, result, stdout, log, stderr, seconds } = await setup.run('run', '--run-key', 'first');
  console.log(seconds, stderr, stdout);

  expect(code, stderr).toBe(0);
  expect(stdout).toHaveLength(1);
  expect(result).toMatchObject({
    status: 'done', run_key: 'first', alias: setup.alias, previous_indexes: [], rows: ROWS, filtered: FILTERED,
    indexed: ROWS - FILTERED, superseded: 0, dead_letters: 0, rows_read_again: 0, workers: 2,
    validated: { rows: ROWS, filtered: FILTERED, documents: ROWS - FILTERED, dead_letters: 0, ranges: 5 },
  });
  expect(await setup.served()).toEqual([result.index]);
  expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url, `${EXPECTED} WHERE shown`));
  expect(log.map((line) => line.msg)).toContain('phase finished');
  expect(await setup.workers()).toEqual([]);
  expect(stderr).not.toContain(new URL(database.url).password);
});
