import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PINNED_SETTINGS, setLocal } from '../../definition/sql.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { DATE, FLOAT4, FLOAT8, INT8, NUMERIC, TEXT, words } from '../support/edge-values.ts';
import { parseLexemes } from '../support/lexemes.ts';
import { readAll, withClient } from '../support/read-all.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => database.drop());

/** What the worker makes of values of a type, and what `to_jsonb` makes of them on the same server. */
async function encode(
  type: string,
  values: readonly (string | null)[],
  expected = 'to_jsonb(row.value)',
): Promise<{ ours: unknown[]; theirs: unknown[] }> {
  const connection = { connectionString: database.url };
  const theirs = await withClient(connection, async (client) => {
    await client.query(
      `DROP TABLE IF EXISTS sample; CREATE TABLE sample (id bigint PRIMARY KEY, value ${type})`,
    );
    await client.query(
      `INSERT INTO sample SELECT i, v::${type} FROM unnest($1::text[]) WITH ORDINALITY AS u(v, i)`,
      [values],
    );
    await client.query(`BEGIN; ${setLocal(PINNED_SETTINGS)}`);
    const { rows } = await client.query<{ json: string | null }>(
      `SELECT (${expected})::text AS json FROM sample AS row ORDER BY id`,
    );
    return rows.map(({ json }) => (json === null ? null : parseLexemes(json)));
  });
  const writer = await readAll(
    connection,
    sketchDefinition({ source: { table: 'sample' }, document: { value: 'row.value' } }),
  );
  expect(writer.letters).toEqual([]);
  const ours = writer.documents.map(({ document, key, action }, i) => {
    expect(action).toBe(`{"index":{"_id":"${key}"}}`);
    const parsed = parseLexemes(document) as { id: unknown; value: unknown };
    expect(Object.keys(parsed)).toEqual(['id', 'value']);
    expect(parsed.id).toEqual({ number: String(i + 1) });
    return parsed.value;
  });
  return { ours, theirs };
}

/** The first few values of which the worker makes something else than `to_jsonb`. */
async function differences(
  type: string,
  values: readonly (string | null)[],
  expected?: string,
): Promise<unknown[]> {
  const { ours, theirs } = await encode(type, values, expected);
  const rows = values.map((value, i) => ({ value, ours: ours[i], theirs: theirs[i] }));
  return rows.filter((row) => !isDeepStrictEqual(row.ours, row.theirs)).slice(0, 10);
}

describe('the document’s value for a column', () => {
  it.each([
    ['boolean', ['true', 'false', null]],
    ['smallint', ['0', '-1', '32767', '-32768', null]],
    ['integer', ['0', '7', '-7', '2147483647', '-2147483648', '-2147483647', null]],
    ['bigint', [...INT8, null]],
    ['numeric', [...NUMERIC, null]],
    ['numeric(12,4)', ['0', '1.5', '-99999999.9999', '0.0001']],
    ['double precision', [...FLOAT8, null]],
    ['real', [...FLOAT4, null]],
    ['text', [...TEXT, null]],
    ['varchar(20)', ['', 'abc "d"', null]],
    ['char(5)', ['', 'ab', 'a"b']],
    ['name', ['pg_class']],
    ['uuid', ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null]],
    ['date', [...DATE, null]],
    ['jsonb', ['null', '1', '1.50', '"a\\nb"', '{"b": [1, {"c": null}], "a": "ä"}', '[]', null]],
    ['bigint[]', ['{}', '{1,NULL,-3}', '{{1,2},{3,4}}', '[5:6]={7,8}', '{{{1},{2}},{{3},{NULL}}}', null]],
    ['text[]', ['{}', '{a,"b\\"c",NULL,""}', '{"line\nbreak"}']],
    ['numeric[]', ['{1.50,0.00,1e20}']],
    ['real[]', ['{0.1,1e10}']],
    ['boolean[]', ['{t,f,NULL}']],
    ['uuid[]', ['{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}']],
    ['date[]', ['{2024-02-29,0001-01-01}']],
    ['jsonb[]', ['{"{\\"a\\": 1}",NULL}']],
    ['interval', ['1 day 02:03:04.5', '-1 mon', null]],
    ['inet', ['10.0.0.1/8', '::1']],
    ['time', ['12:34:56.789']],
    ['bytea', ['\\x00ff', '']],
    ['int4range', ['[1,5)', 'empty']],
    ['money', ['1.5']],
    ['point', ['(1,2)']],
    ['xml', ['<a>b</a>']],
  ])('equals to_jsonb: %s', async (type, values) => expect(await differences(type, values)).toEqual([]));

  it('of type timestamptz is in UTC and ends with Z', async () =>
    expect(
      await differences(
        'timestamptz',
        [
          '2000-01-01 00:00:00+00',
          '1999-12-31 23:59:59.999999+00',
          '2024-02-29 12:34:56.5+02',
          '1969-12-31 23:59:59+00',
          '0001-01-01 00:00:00+00',
          '0001-01-01 00:00:00.000001+00',
          '9999-12-31 23:59:59.999999+00',
          '2285-06-05 00:00:00.123457+00',
          '2286-01-01 00:00:00.000001+00',
          '1713-01-01 01:02:03.654321+00',
          '1500-05-05 23:59:59.999999+00',
          null,
        ],
        `to_jsonb(replace(to_jsonb(row.value) #>> '{}', '+00:00', 'Z'))`,
      ),
    ).toEqual([]));

  it('of type timestamp is read as UTC', async () =>
    expect(
      await differences(
        'timestamp',
        ['2024-02-29 12:34:56.000100', '0001-01-01', '9999-12-31 23:59:59.999999', null],
        `to_jsonb((to_jsonb(row.value) #>> '{}') || 'Z')`,
      ),
    ).toEqual([]));

  it('of type json is its own text on one line', async () =>
    expect(
      await differences(
        'json',
        ['{"b" : 1,\n "a":\r\n [1.0, 2e5], "b": 2}', '[ ]', '"a\\nb"', 'null', '1.50', null],
        'row.value',
      ),
    ).toEqual([]));

  it('equals to_jsonb for enums, domains, composites and arrays of them', async () => {
    await withClient({ connectionString: database.url }, (client) =>
      client.query(
        `CREATE TYPE mood AS ENUM ('sad', 'very "happy"'); CREATE DOMAIN score AS numeric CHECK (VALUE >= 0); CREATE TYPE pair AS (a int, b text)`,
      ),
    );
    expect(await differences('mood', ['sad', 'very "happy"'])).toEqual([]);
    expect(await differences('mood[]', ['{sad,NULL}'])).toEqual([]);
    expect(await differences('score', ['1.50'])).toEqual([]);
    expect(await differences('pair', ['(1,"x\ny")'])).toEqual([]);
    expect(await differences('pair[]', ['{"(1,x)"}'])).toEqual([]);
  });
});

describe('the document’s value that JSON cannot represent', () => {
  it.each([
    ['double precision', ['NaN', 'Infinity', '-Infinity']],
    ['real', ['NaN', 'Infinity', '-Infinity']],
    ['numeric', ['NaN', 'Infinity', '-Infinity']],
    ['date', ['infinity', '-infinity', '0001-12-31 BC', '10000-01-01', '4714-11-24 BC', '5874897-12-31']],
    [
      'timestamp',
      [
        'infinity',
        '-infinity',
        '0001-12-31 23:59:59.999999 BC',
        '10000-01-01',
        '294276-12-31 23:59:59.999999',
      ],
    ],
    ['timestamptz', ['infinity', '-infinity', '4714-11-24 00:00:00+00 BC', '10000-01-01 00:00:00+00']],
  ])('is null for the type %s', async (type, values) => {
    const { ours } = await encode(type, values);
    expect(ours).toEqual(values.map(() => null));
  });

  it('is null for that element alone within an array', async () => {
    const { ours } = await encode('double precision[]', ['{1,NaN,2}']);
    expect(ours).toEqual([[{ number: '1' }, null, { number: '2' }]]);
  });
});

describe('the document’s value for 20,000 generated rows', () => {
  const float4 = fc
    .integer({ min: 0, max: 0xffffffff })
    .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? 0);
  const float8 = fc
    .bigInt({ min: 0n, max: 2n ** 64n - 1n })
    .map((bits) => new Float64Array(BigUint64Array.of(bits).buffer)[0] ?? 0);
  const finite = (value: number): boolean => Number.isFinite(value);
  const digits = (length: number) =>
    fc.string({ unit: fc.constantFrom(...words('0 1 2 3 4 5 6 7 8 9')), minLength: 1, maxLength: length });
  const numeric = fc
    .tuple(fc.constantFrom('', '-'), digits(40), digits(40))
    .map(([sign, whole, fraction]) => `${sign}${whole}.${fraction}`);
  const text = fc.string({ unit: 'binary', maxLength: 400 }).filter((value) => !value.includes('\0'));
  const whole = fc
    .integer({ min: 53, max: 90 })
    .chain((power) => fc.integer({ min: 1, max: 2 ** 30 }).map((n) => n * 2 ** (power - 30)));
  const decimal = fc
    .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 9 }))
    .map(([n, places]) => n / 10 ** places);

  it.each<[string, fc.Arbitrary<string>]>([
    ['bigint', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
    ['numeric', numeric],
    ['real', float4.filter(finite).map(String)],
    ['real', decimal.map(String)],
    ['real', fc.integer({ min: -149, max: 127 }).map((power) => String(2 ** power))],
    ['double precision', fc.integer({ min: -1074, max: 1023 }).map((power) => String(2 ** power))],
    ['double precision', float8.filter(finite).map(String)],
    ['double precision', fc.oneof(whole, decimal).map(String)],
    ['text', text],
    ['jsonb', fc.json({ stringUnit: 'binary' }).filter((value) => !/\\u0000|\\ud[89a-f]/i.test(value))],
    [
      'date',
      fc
        .integer({ min: -730_119, max: 2_921_939 })
        .map((days) => new Date(Date.UTC(2000, 0, 1) + days * 86_400_000).toISOString().slice(0, 10)),
    ],
  ])('equals to_jsonb for %s of generator %#', async (type, arbitrary) => {
    const values = fc.sample(arbitrary, { numRuns: 20_000, seed: 20_260_722 });
    expect(await differences(type, values)).toEqual([]);
  });

  it('of type timestamptz equals to_jsonb with Z', async () => {
    const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
    const values = fc.sample(micros, { numRuns: 20_000, seed: 20_260_722 }).map(instant);
    expect(
      await differences(
        'timestamptz',
        values,
        `to_jsonb(replace(to_jsonb(row.value) #>> '{}', '+00:00', 'Z'))`,
      ),
    ).toEqual([]);
  });

  /** Microseconds since 1970 as PostgreSQL reads them, without loss. */
  function instant(micros: bigint): string {
    const ofSecond = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const seconds = new Date(Number((micros - ofSecond) / 1000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(ofSecond).padStart(6, '0')}Z`;
  }
});
