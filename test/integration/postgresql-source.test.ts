import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import type { IndexDefinition } from '../../definition/definition.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { openValidationSource } from '../../orchestrator/index/postgresql-source.ts';
import type { ValidationSource } from '../../orchestrator/index/validation-source.ts';
import { describeItems, itemsDefinition } from '../support/index-life.ts';
import { useTestClient } from '../support/test-client.ts';

const ROWS = 120_000;
const ALL: KeyRange = { start: null, end: null };

describe('the source table as validation reads it', () => {
  let client: Client;
  useTestClient(async (opened) => {
    client = opened;
    await client.query(
      `CREATE TABLE items (id bigint PRIMARY KEY, owner int, name text);
       INSERT INTO items SELECT n * 3, n % 7, 'item ' || n FROM generate_series(1, ${ROWS}) n;
       CREATE TABLE owners (id int, name text); INSERT INTO owners VALUES (1, 'one'), (1, 'uno'), (2, 'two');
       ANALYZE items`,
    );
  });

  async function sourceOf(
    changes: Partial<IndexDefinition['source']>,
    document: Readonly<Record<string, string>> = { name: 'item.name' },
  ): Promise<ValidationSource> {
    const { source } = itemsDefinition();
    const definition = itemsDefinition({
      source: { ...source, where: null, ...changes },
      document: Object.entries(document).map(([name, sql]) => ({ name, sql, mapping: null })),
    });
    return openValidationSource((work) => work(client), await describeItems(client, definition));
  }
  async function pagesOf(source: ValidationSource, range: KeyRange): Promise<readonly Key[][]> {
    return Array.fromAsync(source.keys(range), (page) => [...page]);
  }
  const multiples = (first: number, last: number): bigint[] =>
    Array.from({ length: last - first + 1 }, (_, i) => BigInt(first + i) * 3n);

  it.each<[string, KeyRange, bigint[]]>([
    ['all keys', ALL, multiples(1, ROWS)],
    ['as many as fill two pages', { start: null, end: 300_001n }, multiples(1, 100_000)],
    ['one more', { start: 3n, end: 300_004n }, multiples(1, 100_001)],
    ['none', { start: 4n, end: 6n }, []],
  ])('gives %s of a range, rising, in pages', async (_name, range, expected) => {
    const pages = await pagesOf(await sourceOf({}), range);
    expect(pages.flat()).toEqual(expected);
    expect(pages).toHaveLength(Math.ceil(expected.length / 50_000));
  });

  it('ends at the greatest possible key', async () => {
    await client.query(
      `INSERT INTO items SELECT 9223372036854775807 - n, 1, 'end' FROM generate_series(0, 49999) n`,
    );
    const pages = await pagesOf(await sourceOf({}), { start: 9_223_372_036_854_000_000n, end: null });
    await client.query(`DELETE FROM items WHERE name = 'end'`);
    expect(pages.map((page) => [page.length, page.at(-1)])).toEqual([[50_000, 2n ** 63n - 1n]]);
  });

  it('gives the keys of rows that the condition keeps, on a joined table too', async () => {
    const joins = [{ left: `LATERAL (SELECT item.owner = 2 AS wanted) AS choice`, on: 'true' }];
    const source = await sourceOf({ joins, where: 'choice.wanted' });
    const range = { start: null, end: 60n };
    expect(await pagesOf(source, range)).toEqual([[6n, 27n, 48n]]);
    expect(await source.count(range)).toEqual({ rows: 19, kept: 3 });
  });

  it('is refused when joins make several rows of one', async () => {
    const source = await sourceOf({ joins: [{ left: 'owners AS owner', on: 'owner.id = item.owner' }] });
    await expect(source.count({ start: null, end: 30n })).rejects.toThrow(
      /joins of items turn 9 rows into 11: write joins that keep each row of the table as one row/,
    );
  });

  it('counts a row on which the condition fails as one that it keeps, and gives its key', async () => {
    const whole = await (await sourceOf({ where: 'item.id <> 30' })).count(ALL);
    const source = await sourceOf({ where: '1 / (item.id - 30) IS NOT NULL' });
    expect(await source.count(ALL)).toEqual({ rows: whole.rows, kept: whole.rows });
    expect((await pagesOf(source, { start: 20n, end: 40n })).flat()).toContain(30n);
    expect(await source.sampleKeys([ALL])).toBeInstanceOf(Array);
  });

  it('is refused with the reason when the condition fails on more rows than may become dead letters', async () => {
    const source = await sourceOf({ where: '1 / (item.id - item.id) > 0' });
    await expect(source.count(ALL)).rejects.toThrow(
      /cannot be counted, because source\.where .*division by zero, SQLSTATE 22012/,
    );
  });

  it('says of which of the asked rows an expression fails', async () => {
    const source = await sourceOf({}, { broken: '1 / (item.id - 30)' });
    const rows = await source.expectedRows([27n, 30n, 33n]);
    expect(rows.map(({ key, values }) => [key, values])).toEqual([
      [27n, ['0']],
      [30n, null],
      [33n, ['0']],
    ]);
  });
});
