import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { describeDefinition } from '../../definition/describe.ts';
import { countStatement } from '../../definition/sql.ts';
import { CollectingWriter } from '../support/collecting-writer.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type DefinitionSketch, sketchDefinition } from '../support/definitions.ts';
import { readAll, withClient } from '../support/read-all.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => database.drop());

async function sql(text: string): Promise<void> {
  await withClient({ connectionString: database.url }, (client) => client.query(text));
}

const read = (
  sketch: DefinitionSketch,
  range?: KeyRange,
  writer?: CollectingWriter,
): Promise<CollectingWriter> =>
  readAll({ connectionString: database.url }, sketchDefinition(sketch), {
    ...(range === undefined ? {} : { range }),
    ...(writer === undefined ? {} : { writer }),
  });

const documentsOf = (writer: CollectingWriter): string[] => writer.documents.map(({ document }) => document);

describe('the documents of a key range', () => {
  beforeAll(() =>
    sql(`
      CREATE TABLE "Weird Table" ("The Key" int PRIMARY KEY, "Name" text, region text, n int);
      INSERT INTO "Weird Table" SELECT i, 'n' || i, CASE WHEN i % 2 = 0 THEN 'r' || i % 4 END, i % 3 FROM generate_series(-3, 10) i;
      CREATE TABLE region (code text PRIMARY KEY, title text);
      INSERT INTO region VALUES ('r0', 'zero'), ('r2', 'two');
      CREATE TABLE ends (id bigint PRIMARY KEY);
      INSERT INTO ends VALUES (-9223372036854775808), (-1), (0), (1), (9223372036854775807)`),
  );

  it('are read half-open, with quoted names, joins and comments in expressions', async () => {
    const writer = await read(
      {
        source: {
          table: 'public."Weird Table"',
          as: '"W"',
          key: 'The Key',
          joins: [{ left: 'region AS g', on: 'g.code = "W".region -- by code' }],
        },
        document: { 'a "name"': '"W"."Name" -- its name', region: 'g.title', n: '"W".n' },
      },
      { start: -1n, end: 3n },
    );
    expect(documentsOf(writer)).toEqual([
      '{"The Key":-1,"a \\"name\\"":"n-1","region":null,"n":-1}',
      '{"The Key":0,"a \\"name\\"":"n0","region":"zero","n":0}',
      '{"The Key":1,"a \\"name\\"":"n1","region":null,"n":1}',
      '{"The Key":2,"a \\"name\\"":"n2","region":"two","n":2}',
    ]);
    expect(writer.documents[0]?.action).toBe('{"index":{"_id":"-1"}}');
    expect(writer.settledThrough).toBe(2n);
  });

  it('include both ends of bigint', async () => {
    const ends = { source: { table: 'ends' }, document: { same: 'row.id' } };
    const all = [-(2n ** 63n), -1n, 0n, 1n, 2n ** 63n - 1n];
    expect((await read(ends)).keys).toEqual(all);
    expect((await read(ends, { start: -(2n ** 63n), end: 2n ** 63n - 1n })).keys).toEqual(all.slice(0, 4));
    expect((await read(ends, { start: 2n ** 63n - 1n, end: null })).keys).toEqual(all.slice(4));
    expect((await read(ends, { start: 2n, end: 1000n })).counts.rowsRead).toBe(0);
  });

  it('can hold aggregated child rows', async () => {
    await sql('ALTER TABLE region ADD number bigint GENERATED ALWAYS AS IDENTITY UNIQUE');
    const writer = await read({
      source: {
        table: 'region',
        key: 'number',
        joins: [
          {
            left: 'LATERAL (SELECT array_agg("The Key" ORDER BY "The Key") AS keys FROM "Weird Table" AS w WHERE w.region = row.code) AS child',
            on: 'true',
          },
        ],
      },
      document: { title: 'row.title', keys: 'child.keys' },
    });
    expect(documentsOf(writer)).toEqual([
      '{"number":1,"title":"zero","keys":[0,4,8]}',
      '{"number":2,"title":"two","keys":[2,6,10]}',
    ]);
  });

  it('agree in number with the independent count', async () => {
    const sketch = {
      source: { table: '"Weird Table"', as: 'w', key: 'The Key', where: 'w.n >= 1 -- some' },
      document: { n: 'w.n' },
    };
    const range = { start: 0n, end: 9n };
    const writer = await read(sketch, range);
    const rows = await withClient(
      { connectionString: database.url },
      async (client) => (await client.query(countStatement(sketchDefinition(sketch), range))).rows,
    );
    expect(rows).toEqual([{ base_rows: '9', joined_rows: '9', kept_rows: String(writer.documents.length) }]);
    expect(writer.counts).toMatchObject({ rowsRead: 9, filtered: 3, indexed: 6 });
  });
});

describe('the where condition of a definition', () => {
  it('keeps fields of filtered rows from being evaluated, and treats null as false', async () => {
    await sql(
      'CREATE TABLE divisor (id bigint PRIMARY KEY, n int); INSERT INTO divisor VALUES (1, 0), (2, 2), (3, NULL), (4, 0)',
    );
    const writer = await read({
      source: { table: 'divisor', where: 'row.n <> 0' },
      document: { quotient: '10 / row.n' },
    });
    expect(documentsOf(writer)).toEqual(['{"id":2,"quotient":5}']);
    expect(writer.counts).toMatchObject({ rowsRead: 4, filtered: 3, indexed: 1, deadLetters: 0 });
    expect(writer.settledThrough).toBe(4n);
  });

  it('is evaluated once per row, so that a volatile one is the same for all fields', async () => {
    await sql(
      'CREATE TABLE lot AS SELECT i::bigint AS id, i AS n FROM generate_series(1, 2000) i; ALTER TABLE lot ADD PRIMARY KEY (id)',
    );
    const writer = await read({
      source: { table: 'lot', where: 'random() < 0.5' },
      document: { a: 'row.n', b: 'row.n' },
    });
    expect(writer.counts.filtered).toBeGreaterThan(500);
    expect(writer.counts.filtered).toBeLessThan(1_500);
    expect(documentsOf(writer)).toEqual(writer.keys.map((key) => `{"id":${key},"a":${key},"b":${key}}`));
  });
});

describe('the changed_at expression of a definition', () => {
  beforeAll(() =>
    sql(`CREATE TABLE versioned (id bigint PRIMARY KEY, at timestamptz, local timestamp, name text);
      INSERT INTO versioned VALUES
        (1, '2024-07-01 00:00:00.000001+00', '2024-07-01 02:00:00.000001', 'a'), (2, NULL, NULL, 'b'), (3, '1969-12-31 23:59:59+00', '1969-12-31', 'c'),
        (4, 'infinity', 'infinity', 'd'), (5, '-infinity', '-infinity', 'e'), (6, '1970-01-01+00', '1970-01-01 01:00', 'f'), (7, '9999-12-31 23:59:59.999999+00', '9999-12-31 00:00', 'g'), (8, '294276-12-31 23:59:59+00', NULL, 'h')`),
  );

  it('becomes the version in microseconds, or makes a dead letter when it cannot', async () => {
    const writer = await read({
      source: { table: 'versioned', changedAt: 'row.at' },
      document: { name: 'row.name', at: 'row.at' },
      keepFields: ['name'],
    });
    expect(writer.documents.map(({ action }) => action)).toEqual([
      '{"index":{"_id":"1","version":1719792000000001,"version_type":"external_gte"}}',
      '{"index":{"_id":"6","version":0,"version_type":"external_gte"}}',
      '{"index":{"_id":"7","version":253402300799999999,"version_type":"external_gte"}}',
    ]);
    expect(writer.letters).toEqual([
      { key: 2n, type: 'changed_at_unusable', reason: 'changed_at is null.', fields: '{"name":"b"}' },
      { key: 3n, type: 'changed_at_unusable', reason: 'changed_at is before 1970.', fields: '{"name":"c"}' },
      { key: 4n, type: 'changed_at_unusable', reason: 'changed_at is infinite.', fields: '{"name":"d"}' },
      { key: 5n, type: 'changed_at_unusable', reason: 'changed_at is infinite.', fields: '{"name":"e"}' },
      {
        key: 8n,
        type: 'changed_at_unusable',
        reason: 'changed_at is beyond what a version can hold.',
        fields: '{"name":"h"}',
      },
    ]);
  });

  it('becomes the lowest version when it cannot be one, if the definition wants that', async () => {
    const writer = await read({
      source: { table: 'versioned', changedAt: 'row.at', unusableChangedAt: 'lowest_version' },
      document: { name: 'row.name' },
    });
    expect(writer.letters).toEqual([]);
    const versions = writer.documents.map(({ action }) => /"version":(\d+)/.exec(action)?.[1]);
    expect(versions).toEqual(['1719792000000001', '0', '0', '0', '0', '0', '253402300799999999', '0']);
    expect(writer.documents[1]).toMatchObject({
      action: '{"index":{"_id":"2","version":0,"version_type":"external_gte"}}',
      document: '{"id":2,"name":"b"}',
    });
  });

  it('without time zone is read in the zone of the definition, like other timestamps', async () => {
    const writer = await read({
      source: { table: 'versioned', changedAt: 'row.local', where: 'row.id = 1', timeZone: 'Europe/Berlin' },
      document: { local: 'row.local' },
    });
    expect(writer.documents.map(({ action, document }) => [action, document])).toEqual([
      [
        '{"index":{"_id":"1","version":1719792000000001,"version_type":"external_gte"}}',
        '{"id":1,"local":"2024-07-01T00:00:00.000001Z"}',
      ],
    ]);
  });
});

describe('the dead letters of a reading', () => {
  it('hold rows that JSON cannot represent, if the definition wants it, with the fields to keep', async () => {
    await sql(`CREATE TABLE odd (id bigint PRIMARY KEY, value float8, list date[], name text);
      INSERT INTO odd VALUES (1, 1, '{2024-01-01}', 'a'), (2, 'NaN', NULL, 'line\\n"b"'), (3, 1, '{infinity}', 'c')`);
    const writer = await read({
      source: { table: 'odd' },
      document: { name: 'row.name', list: 'row.list', value: 'row.value' },
      unrepresentable: 'dead_letter',
      keepFields: ['name', 'value'],
    });
    expect(documentsOf(writer)).toEqual(['{"id":1,"name":"a","list":["2024-01-01"],"value":1}']);
    expect(writer.letters).toEqual([
      {
        key: 2n,
        type: 'unrepresentable_value',
        reason: 'The field "value" is NaN, infinite, BC or after the year 9999.',
        fields: '{"name":"line\\\\n\\"b\\"","value":null}',
      },
      {
        key: 3n,
        type: 'unrepresentable_value',
        reason: 'The field "list" is NaN, infinite, BC or after the year 9999.',
        fields: '{"name":"c","value":1}',
      },
    ]);
  });

  it('hold rows and documents that are too large, and no others', async () => {
    await sql(`CREATE TABLE large (id bigint PRIMARY KEY, value text);
      INSERT INTO large VALUES (1, repeat('x', 975)), (2, repeat('x', 976)), (3, repeat('x', 977)), (4, repeat('"', 600)), (5, repeat('y', 3000000)), (6, 'small'), (7, repeat('z', 9000000))`);
    // {"id":1,"value":"…"} has 19 bytes beside the value.
    const sketch = {
      source: { table: 'large' },
      document: { value: 'row.value' },
      maxDocumentBytes: 995,
      keepFields: ['value'],
    };
    const writer = await read(sketch, undefined, new CollectingWriter({ capacityBytes: 995 + 128 }));
    expect(writer.keys).toEqual([1n, 2n, 6n]);
    expect(writer.letters.map(({ key, type, reason, fields }) => [key, type, reason, fields])).toEqual([
      [3n, 'document_too_large', 'The document has 996 bytes; max_document_bytes is 995.', null],
      [4n, 'document_too_large', 'The document has 1219 bytes; max_document_bytes is 995.', null],
      [5n, 'document_too_large', 'The row has 3000018 bytes; max_document_bytes is 995.', null],
      [7n, 'document_too_large', 'The row has 9000018 bytes; max_document_bytes is 995.', null],
    ]);
  });

  it('hold numbers with more digits than fit, without long computing', async () => {
    await sql(
      `CREATE TABLE vast AS SELECT 1::bigint AS id, array_fill('1e131000'::numeric, ARRAY[100000]) AS value; ALTER TABLE vast ADD PRIMARY KEY (id)`,
    );
    const startedMs = performance.now();
    const writer = await read({
      source: { table: 'vast' },
      document: { value: 'row.value' },
      maxDocumentBytes: 2_000_000,
    });
    expect(writer.letters.map(({ type }) => type)).toEqual(['document_too_large']);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('the description of a definition’s columns', () => {
  it('tells which types to_jsonb turns into a string', async () => {
    await sql(`CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE pair AS (a int, b text)`);
    const document = {
      a: `'sad'::mood`,
      b: `ARRAY['sad'::mood]`,
      c: `interval '1 day'`,
      d: `ROW(1, 'x')::pair`,
      e: `ARRAY[ROW(1, 'x')::pair]`,
      f: '1',
      g: `'text'`,
      h: `inet '::1'`,
      i: `int4range(1, 2)`,
    };
    const definition = sketchDefinition({
      source: { table: 'region', key: 'number', changedAt: 'now()::timestamp' },
      document,
    });
    const described = await withClient({ connectionString: database.url }, (client) =>
      describeDefinition(client, definition),
    );
    expect(described.changedAtOid).toBe(1114);
    expect(described.fields.filter((field) => field.jsonString).map(({ name }) => name)).toEqual([
      'a',
      'b',
      'c',
      'h',
      'i',
    ]);
    expect(described.fields.slice(5, 7)).toEqual([
      { name: 'f', oid: 23 },
      { name: 'g', oid: 25 },
    ]);
  });
});
