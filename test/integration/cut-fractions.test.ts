import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { parseDefinition } from '../../definition/load.ts';
import { requireNothingCut } from '../../orchestrator/index/findable/cut-fractions.ts';
import { openValidationSource } from '../../orchestrator/index/postgresql-source.ts';
import { useTestClient } from '../support/test-client.ts';

const RANGES = [
  { start: null, end: 150n },
  { start: 150n, end: null },
];

/** A cluster cuts off the fraction of 7.5 in a field of whole numbers, and marks nothing. */
describe('a field of whole numbers', () => {
  let client: Client;
  useTestClient(async (opened) => {
    client = opened;
    await client.query(`
      CREATE TABLE t (id int PRIMARY KEY, whole numeric, price numeric, shown boolean);
      INSERT INTO t SELECT n, n::numeric(9, 2), n + CASE WHEN n IN (7, 233) THEN 0.5 ELSE 0 END, n <> 233
        FROM generate_series(1, 300) n`);
  });

  async function verdict(field: string, more = '', index = ''): Promise<string> {
    const { definition } = parseDefinition(
      `source: { table: t, as: t, key: id${more} }\ndocument: { v: ${field} }\n${index}`,
      'test.yaml',
    );
    const described = await describeDefinition(client, definition);
    const source = openValidationSource((work) => work(client), described);
    return requireNothingCut({ source, described, ranges: RANGES, concurrency: 1 }).then(
      () => 'accepted',
      messageOf,
    );
  }
  const whole = (sql: string, type = 'integer'): string => `{ sql: "${sql}", mapping: { type: ${type} } }`;

  it.for([
    ['numbers', whole('t.price')],
    ['texts', whole(`t.price::text`, 'long')],
    ['binary floats', whole('t.price::float8')],
    ['small binary floats', whole('(t.price - floor(t.price))::float8 / 1000000')],
    ['lists', whole('ARRAY[1, t.price]')],
    ['lists of texts', whole('ARRAY[t.price::text]')],
    ['JSON', whole('jsonb_build_array(t.price)')],
    ['a sub-field', '{ sql: t.price::text, mapping: { type: keyword, fields: { n: { type: short } } } }'],
  ] as const)('is refused where a few rows have a fraction, in %s', async ([, field]) => {
    expect(await verdict(field)).toMatch(/whole numbers: document\.v \(2 rows\)\. .* coerce: true/);
  });

  it('is refused beside a row whose expression fails', async () => {
    expect(await verdict(whole('t.price / (t.id - 9)::bigint * (t.id - 9)'))).toMatch(/document\.v/);
    expect(await verdict(whole('CASE WHEN 1 / (t.id - 9) < 2 THEN t.price END'))).toMatch(/\(2 rows\)/);
  });

  it('counts only the rows that the definition keeps', async () => {
    expect(await verdict(whole('t.price'), ', where: t.shown')).toMatch(/document\.v \(1 row\)/);
  });

  it.for([
    ['only zeros stand behind the point', whole('t.whole'), ''],
    ['texts say so', whole('t.whole::text'), ''],
    ['the column has none', whole('t.id'), ''],
    ['a text is no number, which the cluster itself refuses', whole(`'version 1.5 of ' || t.id`), ''],
    ['the mapping lets them be cut', '{ sql: t.price, mapping: { type: integer, coerce: true } }', ''],
    ['the field is no whole number', whole('t.price', 'double'), ''],
    ['the index decides it', whole('t.price'), 'index: { settings: { mapping: { coerce: true } } }\n'],
  ] as const)('is accepted where %s', async ([, field, index]) => {
    expect(await verdict(field, '', index)).toBe('accepted');
  });
});
