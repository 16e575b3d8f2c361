import type { Client } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { Faults } from '../../definition/faults.ts';
import { parseDefinition } from '../../definition/load.ts';
import { type DefinitionPlan, type PlanOptions, planDefinition } from '../../orchestrator/plan/plan.ts';
import { useTestClient } from '../support/test-client.ts';

let client: Client;
useTestClient(async (opened) => {
  client = opened;
});

async function plan(table: string, options: Partial<PlanOptions> = {}, more = ''): Promise<DefinitionPlan> {
  const text = `source: { table: '${table}', as: t, key: id${more} }\ndocument: { v: t.v }\n`;
  return planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 4, ...options });
}

async function create(table: string, rows: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${table} (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = false)`,
  );
  await client.query(`INSERT INTO ${table} ${rows}`);
}

/** The ranges' true row counts, from the database. */
async function rowsOf(table: string, { ranges }: DefinitionPlan): Promise<number[]> {
  const counts: number[] = [];
  for (const { range } of ranges) {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM ${table} WHERE ($1::int8 IS NULL OR id >= $1) AND ($2::int8 IS NULL OR id < $2)`,
      [range.start?.toString() ?? null, range.end?.toString() ?? null],
    );
    counts.push(Number(rows[0]?.count));
  }
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('the plan of a small table, which is read whole,', () => {
  test('has one range for an empty table', async () => {
    await create('empty', 'SELECT 1, NULL WHERE false');
    const planned = await plan('empty');
    expect(planned).toMatchObject({
      bounds: null,
      rows: { count: 0, exact: true },
      bytesPerRow: null,
      expectedBytes: null,
    });
    expect(planned.ranges).toEqual([{ range: { start: null, end: null }, rows: 0, bytes: 0 }]);
  });

  test('has one range for one row', async () => {
    await create('one', "SELECT -5, 'x'");
    const planned = await plan('one');
    expect(planned).toMatchObject({ bounds: { min: -5n, max: -5n }, rows: { count: 1, exact: true } });
    expect(planned.ranges).toEqual([{ range: { start: null, end: null }, rows: 1, bytes: 1 }]);
  });

  test('covers both ends of bigint and negative keys', async () => {
    await create(
      'ends',
      "SELECT n, 'x' FROM unnest(ARRAY[-9223372036854775808, -3, 0, 7, 9223372036854775807]) AS n",
    );
    const planned = await plan('ends', { ranges: 5 });
    expect(planned.bounds).toEqual({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    expect(await rowsOf('ends', planned)).toEqual([1, 1, 1, 1, 1]);
  });

  test('divides rows equally among 99 % gaps', async () => {
    await create(
      'gaps',
      "SELECT CASE WHEN n < 50 THEN n ELSE n::bigint * 1000000000 END, 'x' FROM generate_series(1, 20000) n",
    );
    const planned = await plan('gaps');
    expect(planned.ranges).toHaveLength(16);
    for (const rows of await rowsOf('gaps', planned)) expect(rows).toBe(1250);
  });

  test('accepts quoted names', async () => {
    await client.query('CREATE SCHEMA "Odd Schema"');
    await client.query(`CREATE TABLE "Odd Schema"."Weird ""Table" ("Weird Key" int PRIMARY KEY, v text)`);
    await client.query(
      `INSERT INTO "Odd Schema"."Weird ""Table" SELECT n, 'x' FROM generate_series(1, 3000) n`,
    );
    const text = `source:\n  table: '"Odd Schema"."Weird ""Table"'\n  key: Weird Key\ndocument:\n  v: '"Weird ""Table".v'\n`;
    const planned = await planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 1 });
    expect(planned.rows).toEqual({ count: 3000, exact: true });
    expect(planned.ranges.map(({ rows }) => rows)).toEqual([1000, 1000, 1000]);
  });
});

describe('the plan of a large table, which is sampled,', () => {
  const ROWS = 600_000;

  beforeAll(async () => {
    // The keys stand dense, then wide apart, so that ranges of equal width would hold nothing like equal rows.
    await create(
      'large',
      `SELECT n * CASE WHEN n > 300000 THEN 1000 ELSE 1 END, repeat('x', 20) FROM generate_series(1, ${ROWS}) n`,
    );
    await client.query('CREATE VIEW large_view AS SELECT * FROM large WHERE v IS NOT NULL');
    await client.query('CREATE TABLE parts (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id)');
    for (const [name, from, to] of [
      ['a', 0, 100_000],
      ['b', 100_000, 700_000],
      ['empty', 700_000, 800_000],
    ] as const) {
      await client.query(
        `CREATE TABLE parts_${name} PARTITION OF parts FOR VALUES FROM (${from}) TO (${to})`,
      );
    }
    await client.query(`INSERT INTO parts SELECT n, 'x' FROM generate_series(1, ${ROWS}) n`);
  });

  test('has ranges of similar row counts for a table that was never analysed', async () => {
    const planned = await plan('large', { ranges: 40 });
    expect(planned.rows.exact).toBe(false);
    expect(Math.abs(planned.rows.count - ROWS)).toBeLessThan(0.05 * ROWS);
    expect(sum(planned.ranges.map(({ rows }) => rows))).toBe(planned.rows.count);
    const rows = await rowsOf('large', planned);
    expect(sum(rows)).toBe(ROWS);
    expect(Math.max(...rows)).toBeLessThan(1.5 * (ROWS / 40));
    expect(Math.min(...rows)).toBeGreaterThan(0.5 * (ROWS / 40));
  });

  test('counts the rows exactly when asked to', async () => {
    expect((await plan('large', { exact: true })).rows).toEqual({ count: ROWS, exact: true });
  });

  test('covers a partitioned table', async () => {
    const planned = await plan('parts', { ranges: 20 });
    expect(Math.abs(planned.rows.count - ROWS)).toBeLessThan(0.05 * ROWS);
    const rows = await rowsOf('parts', planned);
    expect(sum(rows)).toBe(ROWS);
    expect(Math.max(...rows)).toBeLessThan(1.5 * (ROWS / 20));
  });

  test('covers a view by asking its index', async () => {
    const planned = await plan('large_view', { ranges: 20 });
    expect(Math.abs(planned.rows.count - ROWS)).toBeLessThan(0.05 * ROWS);
    expect(planned.ranges).toHaveLength(20);
    expect(sum(await rowsOf('large_view', planned))).toBe(ROWS);
  });

  test('expects a size close to the measured size of the documents', async () => {
    const planned = await plan('large');
    const { rows } = await client.query<{ bytes: string }>(
      `SELECT avg(octet_length(row_to_json(large)::text) + octet_length('{"index":{"_id":""}}') + 2 + length(id::text)) AS bytes FROM large`,
    );
    expect(planned.bytesPerRow).toBeGreaterThan(0.97 * Number(rows[0]?.bytes));
    expect(planned.bytesPerRow).toBeLessThan(1.03 * Number(rows[0]?.bytes));
    // The bytes of a row are rounded, those of the table are not made of that.
    expect(Math.round((planned.expectedBytes ?? 0) / planned.rows.count)).toBe(planned.bytesPerRow);
  });
});

describe('the row size that a plan samples', () => {
  test('excludes rows that where leaves out, and does not evaluate them', async () => {
    await create(
      'mixed',
      "SELECT n, CASE WHEN n % 2 = 0 THEN '7' ELSE 'no number' END FROM generate_series(1, 900) n",
    );
    const text =
      'source: { table: mixed, as: t, key: id, where: t.id % 2 = 0 }\ndocument: { v: "t.v::int" }\n';
    const planned = await planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 1 });
    // {"index":{"_id":"888"}} and {"id":888,"v":7} with their newlines, for every second row.
    expect(planned.bytesPerRow).toBeGreaterThan(17);
    expect(planned.bytesPerRow).toBeLessThan(22);
  });

  test('is unknown when a document cannot be made', async () => {
    await create('faulty', "SELECT n, 'no number' FROM generate_series(1, 10) n");
    const text = 'source: { table: faulty, as: t, key: id }\ndocument: { v: "t.v::int" }\n';
    const planned = await planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 1 });
    expect(planned).toMatchObject({
      bytesPerRow: null,
      expectedBytes: null,
      rows: { count: 10, exact: true },
    });
  });
});

test('a plan makes only some of the long documents to measure them', async () => {
  await create('long', "SELECT n, repeat('x', 2000000) FROM generate_series(1, 100) n");
  // A lock of the session stays when a transaction is rolled back, and so tells which rows were looked at.
  const text = `source: { table: long, as: t, key: id }\ndocument: { v: t.v, seen: pg_try_advisory_lock(t.id) }\n`;
  const planned = await planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 1 });
  const { rows } = await client.query<{ seen: number }>(
    `SELECT count(*)::int AS seen FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`,
  );
  await client.query('SELECT pg_advisory_unlock_all()');
  expect(rows[0]?.seen).toBeGreaterThan(20);
  expect(rows[0]?.seen).toBeLessThan(40);
  expect(planned.bytesPerRow).toBeGreaterThan(2_000_000);
});

test('the digest of a plan changes with the types of its columns', async () => {
  await create('altered', "SELECT 1, '1'");
  const before = await plan('altered');
  expect(before.digest).toMatch(/^[0-9a-f]{32}\.[0-9a-f]{32}$/);
  await client.query('ALTER TABLE altered ALTER v TYPE int USING v::int');
  const after = await plan('altered');
  expect(after.digest.split('.')[0]).toBe(before.digest.split('.')[0]);
  expect(after.digest.split('.')[1]).not.toBe(before.digest.split('.')[1]);
});

test('a plan makes documents to measure them, and still changes nothing in the database', async () => {
  await create('changing', "SELECT n, 'x' FROM generate_series(1, 10) n");
  // What a sequence gives stays given when a transaction is rolled back.
  await client.query('CREATE SEQUENCE counter');
  const text = `source: { table: changing, as: t, key: id }\ndocument: { n: "nextval('counter')" }\n`;
  await planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 1 });
  expect((await client.query('SELECT is_called FROM counter')).rows).toEqual([{ is_called: false }]);
});

test('a plan refuses a faulty definition', async () => {
  await expect(plan('no_such_table')).rejects.toBeInstanceOf(Faults);
});

test('a plan that takes too long ends with an error, and leaves the connection usable', async () => {
  await create('quick', "SELECT n, 'x' FROM generate_series(1, 3000) n");
  // A millisecond for each row: whoever reads them all takes three seconds.
  await client.query('CREATE VIEW slow AS SELECT id, v FROM quick WHERE pg_sleep(0.001) IS NOT NULL');
  await expect(plan('slow', { statementTimeoutMs: 500 })).rejects.toThrow(
    'Planning the definition test: a statement took longer than 500 ms.',
  );
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});
