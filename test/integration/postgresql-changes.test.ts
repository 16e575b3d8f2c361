import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { SourceDefinition } from '../../definition/definition.ts';
import { describeDefinition } from '../../definition/describe.ts';
import type { ChangesSource } from '../../orchestrator/index/changes-source.ts';
import { openChangesSource } from '../../orchestrator/index/postgresql-changes.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sketchDefinition } from '../support/definitions.ts';

let database: TestDatabase;
const clients: Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await database.drop();
});

async function connect(url = database.url): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

/** What `items`, a view over a partitioned table and a joined one, says of changes. */
async function openItems(client: Client, source: Partial<SourceDefinition> = {}): Promise<ChangesSource> {
  const definition = sketchDefinition({
    source: {
      table: 'items',
      as: 'item',
      changedAt: 'item.changed',
      where: 'item.shown',
      joins: [{ left: 'makers AS maker', on: 'maker.id = item.maker' }],
      ...source,
    },
    document: { maker: 'maker.name' },
  });
  const described = await describeDefinition(client, definition);
  return openChangesSource((work) => work(client), described);
}

beforeEach(async () => {
  const client = await connect();
  await client.query(`
    DROP TABLE IF EXISTS parts, makers CASCADE;
    CREATE TABLE makers (id int PRIMARY KEY, name text);
    CREATE TABLE parts (id int PRIMARY KEY, maker int, shown boolean, changed timestamptz) PARTITION BY RANGE (id);
    CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (200);
    CREATE VIEW items AS SELECT * FROM parts;
    INSERT INTO makers VALUES (1, 'one');
    INSERT INTO parts VALUES (1, 1, true, '2026-01-01'), (2, 1, false, '2026-01-02 00:00:00.000001'),
      (3, 1, true, NULL), (150, 1, true, 'infinity'), (151, 1, true, '2026-01-03')`);
});

describe('the changes of a table', () => {
  it('are the rows from a time on, in pages and key order, with their versions and whether they are kept', async () => {
    const source = await openItems(await connect());
    const pages = await Array.fromAsync(
      source.changedRows({ start: null, end: 151n }, '2026-01-01T00:00:00.000Z'),
    );
    expect(pages).toEqual([
      [
        { key: 1n, version: 1_767_225_600_000_000n, kept: true },
        { key: 2n, version: 1_767_312_000_000_001n, kept: false },
      ],
    ]);
  });

  it('are told although changed_at fails on one row and the condition on another', async () => {
    const client = await connect();
    await client.query(`
      DROP TABLE IF EXISTS notes;
      CREATE TABLE notes (id int PRIMARY KEY, changed text, shown text);
      INSERT INTO notes SELECT n, '2026-01-02', 'yes' FROM generate_series(1, 9) n;
      UPDATE notes SET changed = 'yesterday or so' WHERE id = 4;
      UPDATE notes SET shown = 'perhaps' WHERE id = 6;
      UPDATE notes SET shown = 'no' WHERE id = 7`);
    const definition = sketchDefinition({
      source: {
        table: 'notes',
        as: 'note',
        changedAt: 'note.changed::timestamptz',
        where: 'note.shown::boolean',
      },
      document: { shown: 'note.shown' },
    });
    const source = openChangesSource((work) => work(client), await describeDefinition(client, definition));

    const pages = await Array.fromAsync(
      source.changedRows({ start: 2n, end: null }, '2026-01-01T00:00:00.000Z'),
    );

    expect(pages.flat().map(({ key, kept }) => [key, kept])).toEqual([
      [2n, true],
      [3n, true],
      [5n, true],
      [6n, true],
      [7n, false],
      [8n, true],
      [9n, true],
    ]);
  });

  it('may be missing from the beginning of the oldest open transaction on', async () => {
    const [writer, reader] = [await connect(), await connect()];
    const { rows } = await writer
      .query<{ began: Date }>('BEGIN; SELECT 1')
      .then(() => writer.query<{ began: Date }>(`SELECT now() AS began`));
    const { at, oldest, doubts } = await (await openItems(reader)).cutoff();
    await writer.query('ROLLBACK');
    expect(Math.abs(Date.parse(oldest) - (rows[0]?.began.getTime() ?? 0))).toBeLessThan(2);
    expect(Date.parse(at)).toBeGreaterThanOrEqual(Date.parse(oldest));
    expect(doubts).toEqual([]);
  });

  it('are in doubt for a role that does not see when other sessions’ transactions began', async () => {
    const admin = await connect();
    const role = `reader_${process.pid}`;
    await admin.query(`CREATE ROLE ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
    const reader = await connect();
    await reader.query(`SET ROLE ${role}`);
    const { doubts } = await (await openItems(reader)).cutoff();
    await reader.query('RESET ROLE');
    await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    expect(doubts).toEqual(['hidden_sessions']);
  });
});

describe('rows whose later changes nobody can see', () => {
  beforeEach(async () => {
    await (await connect()).query(`
      INSERT INTO parts VALUES (20, 1, true, '9999-12-31'), (21, 1, true, '294276-12-31'), (22, 1, false, NULL),
        (23, 1, true, '1969-12-31'), (24, 1, true, now())`);
  });

  it('are those of the future, where a time that is no version makes a dead letter', async () => {
    expect(await (await openItems(await connect())).unseenRows()).toBe(1);
  });

  it('are those without a version too, where they get the lowest', async () => {
    const source = await openItems(await connect(), { unusableChangedAt: 'lowest_version' });
    expect(await source.unseenRows()).toBe(5);
  });

  it('are not counted where the condition fails on a row', async () => {
    const source = await openItems(await connect(), { where: '1 / (item.id - 20) >= 0 AND item.shown' });
    expect(await source.unseenRows()).toBeNull();
  });

  it('do not end the search for changed rows by a time that is no version', async () => {
    const source = await openItems(await connect());
    const pages = await Array.fromAsync(
      source.changedRows({ start: 20n, end: null }, '2026-01-02T12:00:00.000Z'),
    );
    expect(pages.flat().map(({ key }) => key)).toEqual([20n, 24n, 151n]);
  });
});

describe('the state of a table', () => {
  it.for([
    ['a row was inserted', `INSERT INTO parts VALUES (7, 1, true, NULL)`],
    ['a row of a partition was updated', `UPDATE parts SET shown = false WHERE id = 151`],
    [
      'a row was deleted and another came',
      `DELETE FROM parts WHERE id = 1; INSERT INTO parts VALUES (8, 1, true, NULL)`,
    ],
    ['a row of a join was updated', `UPDATE makers SET name = 'uno'`],
    ['a partition was emptied', `TRUNCATE parts_low`],
  ] as const)('differs after %s', async ([, change]) => {
    const source = await openItems(await connect());
    const before = await source.tableState();
    const writer = new Client({ connectionString: database.url });
    await writer.connect();
    await writer.query(change);
    // The server reports a session's writes at its end.
    await writer.end();
    await expect.poll(() => source.tableState(), { timeout: 15_000 }).not.toEqual(before);
  });

  it('stays the same while nothing is written', async () => {
    const source = await openItems(await connect());
    const before = await source.tableState();
    expect(before.rows).toBe(5);
    expect(await source.tableState()).toEqual(before);
  });
});
