import { Client } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { type DefinitionPlan, planDefinition } from '../../orchestrator/plan/plan.ts';
import { workOf } from '../../orchestrator/reconcile/work.ts';
import type { TestDatabase } from '../support/database.ts';
import { useTestClient } from '../support/test-client.ts';

/** Ranges of like work: what a plan knows of the sizes of rows, whatever the table. */

let database: Pick<TestDatabase, 'url'>;
let client: Client;
useTestClient(async (opened, own) => {
  client = opened;
  database = own;
});

interface Wish {
  readonly table: string;
  readonly ranges: number;
  /** SQL of the document's fields; the table is called `t`. */
  readonly fields?: readonly string[];
  readonly where?: string;
}

async function plan({ table, ranges, fields = ['t.v'], where }: Wish, by = client): Promise<DefinitionPlan> {
  const definition = {
    source: { table, as: 't', key: 'id', ...(where === undefined ? {} : { where }) },
    document: Object.fromEntries(fields.map((sql, i) => [`f${i}`, sql])),
  };
  const loaded = parseDefinition(JSON.stringify(definition), 'test.yaml');
  return planDefinition(by, loaded, { workers: 4, ranges });
}

/** The true bytes of a text column in each range, from the database. */
async function bytesIn({ ranges }: DefinitionPlan, table: string, column = 'v'): Promise<number[]> {
  const sizes: number[] = [];
  for (const { range } of ranges) {
    const { rows } = await client.query<{ bytes: string }>(
      `SELECT coalesce(sum(octet_length(${column})), 0) AS bytes FROM ${table}
       WHERE ($1::int8 IS NULL OR id >= $1) AND ($2::int8 IS NULL OR id < $2)`,
      [range.start?.toString() ?? null, range.end?.toString() ?? null],
    );
    sizes.push(Number(rows[0]?.bytes));
  }
  return sizes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Every hundredth of 4,000 rows has a megabyte, the others 100 bytes; the long ones stand among the last half. */
const SKEWED = `
  SELECT n, repeat('x', CASE WHEN n > 2000 AND n % 100 = 0 THEN 1000000 ELSE 100 END) AS v
  FROM generate_series(1, 4000) n`;

describe('the plan for rows of 100 bytes beside rows of a megabyte', () => {
  test('divides them by their bytes, even if they compress to a hundredth', async () => {
    await client.query(`CREATE TABLE skewed (id bigint PRIMARY KEY, v text); INSERT INTO skewed ${SKEWED}`);
    const planned = await plan({ table: 'skewed', ranges: 10 });
    const bytes = await bytesIn(planned, 'skewed');
    expect(planned.ranges.map((range) => range.bytes)).toEqual(bytes);
    expect(planned.ranges).toHaveLength(10);
    expect(Math.max(...bytes)).toBeLessThan(sum(bytes) / 10 + 1_000_000);
  });

  test('divides a partitioned table by bytes', async () => {
    await client.query(`
      CREATE TABLE parted (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (1000);
      CREATE TABLE parted_rest (dropped int, v text, id bigint NOT NULL);
      ALTER TABLE parted_rest DROP COLUMN dropped;
      ALTER TABLE parted ATTACH PARTITION parted_rest DEFAULT;
      INSERT INTO parted ${SKEWED}`);
    const planned = await plan({ table: 'parted', ranges: 10 });
    expect(planned.ranges.map((range) => range.bytes)).toEqual(await bytesIn(planned, 'parted'));
    expect(planned.ranges).toHaveLength(10);
  });

  test('divides a view by bytes when it looks at the sizes of some rows', async () => {
    await client.query(`CREATE VIEW skewed_view AS SELECT id, v || '!' AS v FROM skewed`);
    const planned = await plan({ table: 'skewed_view', ranges: 10 });
    const bytes = await bytesIn(planned, 'skewed');
    expect(planned.rows).toEqual({ count: 4000, exact: true });
    expect(planned.ranges.map(({ bytes }) => bytes)).toEqual(
      bytes.map((sum, i) => sum + (planned.ranges[i]?.rows ?? 0)),
    );
    expect(Math.max(...bytes)).toBeLessThan(sum(bytes) / 10 + 1_000_000);
  });

  test('divides a view with a pattern of long rows by bytes from a part of its sizes', async () => {
    await client.query(`
      CREATE TABLE patterned (id bigint PRIMARY KEY, v text);
      INSERT INTO patterned
        SELECT n, repeat('x', CASE WHEN n > 20000 AND n % 4 = 0 THEN 4000 ELSE 10 END) FROM generate_series(1, 40000) n;
      CREATE VIEW patterned_view AS SELECT id, v || '!' AS v FROM patterned`);
    const planned = await plan({ table: 'patterned_view', ranges: 10 });
    const bytes = await bytesIn(planned, 'patterned');
    const weights = bytes.map((sum, i) => workOf({ rows: planned.ranges[i]?.rows ?? 0, bytes: sum }));
    expect(planned.rows).toEqual({ count: 40_000, exact: true });
    expect(Math.max(...weights)).toBeLessThan(1.3 * (sum(weights) / 10));
  });

  test('divides a large table by bytes from sampled pages', async () => {
    await client.query(`
      CREATE TABLE sampled (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = false);
      INSERT INTO sampled
        SELECT n, repeat('x', CASE WHEN n > 250000 THEN 1500 ELSE 10 END) FROM generate_series(1, 300000) n`);
    const planned = await plan({ table: 'sampled', ranges: 20 });
    expect(planned.rows.exact).toBe(false);
    const weights = (await bytesIn(planned, 'sampled')).map((bytes, i) =>
      workOf({ rows: planned.ranges[i]?.rows ?? 0, bytes }),
    );
    expect(Math.max(...weights)).toBeLessThan(1.5 * (sum(weights) / 20));
    expect(Math.min(...weights)).toBeGreaterThan(0.5 * (sum(weights) / 20));
  });

  test('makes more than one range for few, but long rows', async () => {
    const planned = await planDefinition(
      client,
      parseDefinition('source: { table: skewed, as: t, key: id }\ndocument: { v: t.v }\n', 'test.yaml'),
      { workers: 16 },
    );
    expect(planned.ranges.length).toBeGreaterThan(8);
  });
});

describe('the row size that a plan counts', () => {
  beforeAll(async () => {
    await client.query(`
      CREATE TABLE archive (id bigint PRIMARY KEY, name text NOT NULL, "Raw ""Page" text, wide varchar);
      INSERT INTO archive
        SELECT n, 'name ' || to_char(n, 'FM0000'), repeat('x', CASE WHEN n <= 10 THEN 1000000 END), repeat('y', 7)
        FROM generate_series(1, 1000) n`);
  });

  test('excludes a column that the definition does not use', async () => {
    const planned = await plan({ table: 'archive', ranges: 4, fields: ['t.name'] });
    expect(planned.ranges.map(({ rows }) => rows)).toEqual([250, 250, 250, 250]);
    expect(sum(planned.ranges.map(({ bytes }) => bytes))).toBe(
      sum(await bytesIn(planned, 'archive', 'name')),
    );
  });

  test.each([
    ['in a field', { fields: ['length(t."Raw ""Page")'] }],
    ['in upper case', { fields: ['T.NAME', 'to_jsonb(T)'] }],
    ['as a part of the whole row', { fields: ['to_jsonb(t.*)'] }],
    ['in the condition', { where: `t."Raw ""Page" IS NULL OR true` }],
  ])('includes a column that is used %s', async (_where, wish) => {
    const planned = await plan({ table: 'archive', ranges: 4, fields: ['t.name'], ...wish });
    expect(sum(planned.ranges.map(({ bytes }) => bytes))).toBeGreaterThanOrEqual(10_000_000);
    expect(Math.max(...planned.ranges.map(({ bytes }) => bytes))).toBeLessThan(4_000_000);
  });
});

test('a plan is possible for a reader who may see only some columns', async () => {
  await client.query(`
    CREATE TABLE guarded (id bigint PRIMARY KEY, v text, secret text);
    INSERT INTO guarded SELECT n, repeat('x', 1000), 'secret' FROM generate_series(1, 2000) n;
    CREATE ROLE narrow_reader; GRANT SELECT (id, v) ON guarded TO narrow_reader`);
  const reader = new Client({ connectionString: database.url });
  await reader.connect();
  try {
    await reader.query('SET ROLE narrow_reader');
    const planned = await plan({ table: 'guarded', ranges: 2, fields: ["t.v || ' secret'"] }, reader);
    expect(planned.ranges.map(({ rows, bytes }) => [rows, bytes])).toEqual([
      [1000, 1_000_000],
      [1000, 1_000_000],
    ]);
  } finally {
    await reader.end();
    await client.query('DROP OWNED BY narrow_reader; DROP ROLE narrow_reader');
  }
});

describe('the plan for a column that cannot be computed', () => {
  test('leaves a virtual column of a table uncomputed', async () => {
    await client.query(`
      CREATE TABLE virtual (id bigint PRIMARY KEY, v text, ratio numeric GENERATED ALWAYS AS (1 / (id - 5)) VIRTUAL);
      INSERT INTO virtual SELECT n, 'x' FROM generate_series(1, 2000) n`);
    const planned = await plan({
      table: 'virtual',
      ranges: 2,
      fields: ['CASE WHEN t.id <> 5 THEN t.ratio END'],
    });
    expect(planned.ranges.map(({ rows }) => rows)).toEqual([1000, 1000]);
  });

  test('divides a view by rows, and leaves its bytes unknown', async () => {
    await client.query(`
      CREATE TABLE below (id bigint PRIMARY KEY); INSERT INTO below SELECT generate_series(1, 2000);
      CREATE VIEW failing AS SELECT id, (1 / (id - 1))::text AS v FROM below`);
    const planned = await plan({ table: 'failing', ranges: 2, where: 't.id <> 1' });
    expect(planned.ranges.map(({ rows, bytes }) => [rows, bytes])).toEqual([
      [1000, 0],
      [1000, 0],
    ]);
  });
});

describe('the plan for a table with wrong planner statistics', () => {
  test('is right when many pages hold hardly any rows', async () => {
    await client.query(`
      CREATE TABLE emptied (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = false);
      INSERT INTO emptied SELECT n, 'x' FROM generate_series(1, 400000) n;
      DELETE FROM emptied WHERE id % 1000 <> 0`);
    const planned = await plan({ table: 'emptied', ranges: 3 });
    expect(planned.rows.count).toBe(400);
    expect(planned.ranges.map(({ rows }) => rows)).toEqual([133, 134, 133]);
  });

  test.each([1, 1e12])('is right when the planner believes in %d rows', async (believed) => {
    const table = believed === 1 ? 'believed_small' : 'believed_large';
    await client.query(`
      CREATE TABLE ${table} (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = false);
      INSERT INTO ${table} SELECT n, 'x' FROM generate_series(1, 250000) n;
      ANALYZE ${table}`);
    await client.query(`UPDATE pg_class SET reltuples = ${believed} WHERE oid = '${table}'::regclass`);
    const planned = await plan({ table, ranges: 5 });
    expect(Math.abs(planned.rows.count - 250_000)).toBeLessThan(5000);
    for (const { rows } of planned.ranges) expect(Math.abs(rows - 50_000)).toBeLessThan(5000);
  });
});

test('the plan for a large view with gaps divides it where its rows are', async () => {
  // Shards in the high bits, as in keys that are made without a central counter: far more gap than key.
  await client.query(`
    CREATE TABLE sharded (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = false);
    INSERT INTO sharded
      SELECT (CASE WHEN n <= 200000 THEN 0 WHEN n <= 250000 THEN 1 ELSE -2 END::bigint << 60) + n, repeat('x', 200)
      FROM generate_series(1, 300000) n;
    INSERT INTO sharded VALUES (-9223372036854775808, 'least'), (9223372036854775807, 'greatest');
    CREATE VIEW shards AS SELECT * FROM sharded WHERE v IS NOT NULL`);
  const planned = await plan({ table: 'shards', ranges: 20 });
  expect(Math.abs(planned.rows.count - 300_000)).toBeLessThan(15_000);
  expect(planned.ranges).toHaveLength(20);
  const bytes = await bytesIn(planned, 'sharded');
  expect(Math.max(...bytes)).toBeLessThan(1.5 * 3_000_000);
  expect(Math.min(...bytes)).toBeGreaterThan(0.5 * 3_000_000);
});
