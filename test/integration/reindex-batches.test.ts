import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { KeyRange } from '../../definition/key/key-range.ts';
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

describe('the batches of a reading', () => {
  beforeAll(() =>
    sql(
      `CREATE TABLE many AS SELECT i::bigint AS id, repeat('"', i % 500) AS value FROM generate_series(1, 20000) i; ALTER TABLE many ADD PRIMARY KEY (id)`,
    ),
  );
  const many = { source: { table: 'many' }, document: { value: 'row.value' } };

  it('take every row once, whatever fits into them', async () => {
    const documents = documentsOf(await read(many));
    for (const capacityBytes of [2_000, 4_096, 65_536]) {
      const writer = await read(
        { ...many, maxDocumentBytes: 1_500 },
        undefined,
        new CollectingWriter({ capacityBytes }),
      );
      expect(documentsOf(writer)).toEqual(documents);
      expect(writer.batches).toBeGreaterThanOrEqual(writer.bytesSent / capacityBytes);
    }
    const writer = await read(many, undefined, new CollectingWriter({ maxItems: 7 }));
    expect(documentsOf(writer)).toEqual(documents);
    expect(writer.batches).toBe(Math.ceil(20_000 / 7));
  });

  it('are closed before numbers whose digits need far more than their bytes', async () => {
    await sql(
      `CREATE TABLE digits AS SELECT i::bigint AS id, ('1e' || i % 1400)::numeric AS value FROM generate_series(1, 3000) i; ALTER TABLE digits ADD PRIMARY KEY (id)`,
    );
    const digits = { source: { table: 'digits' }, document: { value: 'row.value' } };
    const documents = documentsOf(await read(digits));
    const small = { ...digits, maxDocumentBytes: 1_500 };
    const writer = await read(small, undefined, new CollectingWriter({ capacityBytes: 2_000 }));
    expect(documentsOf(writer)).toEqual(documents);
    expect(documents).toHaveLength(3_000);
  });

  it('are closed after 50,000 rows even if all of them are filtered', async () => {
    await sql(
      'CREATE TABLE dull AS SELECT i::bigint AS id FROM generate_series(1, 120000) i; ALTER TABLE dull ADD PRIMARY KEY (id)',
    );
    const writer = await read({ source: { table: 'dull', where: 'false' }, document: { same: 'row.id' } });
    expect(writer.batches).toBe(3);
    expect(writer.counts).toMatchObject({ rowsRead: 120_000, filtered: 120_000, indexed: 0 });
    expect(writer.settledThrough).toBe(120_000n);
  });

  it('are closed after a second even if rows come slowly', async () => {
    const writer = new CollectingWriter();
    const reading = read(
      { source: { table: 'many' }, document: { value: `repeat(row.value, 100) || pg_sleep(0.02)::text` } },
      { start: 1n, end: 120n },
      writer,
    );
    await vi.waitUntil(() => writer.batches > 0, { timeout: 5_000 });
    expect(writer.documents.length).toBeLessThan(119);
    await reading;
    expect(writer.documents).toHaveLength(119);
  });
});
