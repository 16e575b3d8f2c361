import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { IndexDefinition } from '../../definition/definition.ts';
import { TaskFailure } from '../../worker/task-failure.ts';
import { CollectingWriter } from '../support/collecting-writer.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { readAll, typesDigestOf, withClient } from '../support/read-all.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const ROWS = 20_000;

let database: TestDatabase;
let proxy: TcpProxy;
const direct = () => ({ connectionString: database.url });
const proxied = () => ({ connectionString: proxy.url });

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await sql(`
    CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL, n int NOT NULL);
    INSERT INTO item SELECT i, 'item ' || i || repeat(' padding', 20), i % 7 FROM generate_series(1, ${ROWS}) i;
    CREATE TABLE part (item_id bigint, label text);
    INSERT INTO part VALUES (10, 'a'), (700, 'a'), (700, 'b');
    CREATE TABLE mixed (id bigint PRIMARY KEY, value text);
    INSERT INTO mixed SELECT i, i::text FROM generate_series(1, 5000) i;
    ANALYZE`);
});
afterAll(() => database.drop());
beforeEach(async () => {
  proxy = await TcpProxy.start(database.url);
});
afterEach(() => proxy.stop());

const items = sketchDefinition({ source: { table: 'item' }, document: { name: 'row.name' } });
const allKeys = (count = ROWS): bigint[] => Array.from({ length: count }, (_, i) => BigInt(i + 1));

async function sql(text: string): Promise<void> {
  await withClient(direct(), (client) => client.query(text));
}

async function failureOf(reading: Promise<unknown>): Promise<TaskFailure> {
  const error: unknown = await reading.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TaskFailure);
  return error as TaskFailure;
}

/** How many connections other than the asking one the database has. */
async function connectionsOf(): Promise<number> {
  return withClient(direct(), async (client) => {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    );
    return rows[0]?.count ?? -1;
  });
}

describe('reading a range continues behind the last row', () => {
  it('after connections that are cut repeatedly, at any byte', async () => {
    const typesDigest = await typesDigestOf(direct(), items);
    proxy.cutAfterBytes.push(0, 100, 1_000, 5_000, 50_001, 300_000, 77_777, 1_000_000);
    const writer = await readAll(proxied(), items, { typesDigest });
    expect(writer.keys).toEqual(allKeys());
    expect(proxy.connections).toBe(9);
  });

  it('after administrators end its connections, and it says that it waits', async () => {
    const live = { rowsRead: 0, waitingFor: null as 'database' | null };
    const writer = new CollectingWriter({ capacityBytes: 2 * 1024 * 1024, settleMs: 20 });
    const slow = {
      ...items,
      document: [{ name: 'name', sql: 'row.name || repeat(row.name, 30)', mapping: null }],
    };
    const typesDigest = await typesDigestOf(direct(), slow);
    const reading = readAll(proxied(), slow, { typesDigest, writer, live });
    let ended = 0;
    while (ended < 3) {
      const before = writer.documents.length;
      await vi.waitUntil(() => writer.documents.length > before, { timeout: 10_000, interval: 5 });
      ended += await withClient(direct(), async (client) => {
        const { rowCount } = await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' AND pid <> pg_backend_pid()`,
        );
        return rowCount ?? 0;
      });
    }
    proxy.refusing = true;
    proxy.cut();
    await vi.waitUntil(() => live.waitingFor === 'database', { timeout: 10_000 });
    proxy.refusing = false;
    await reading;
    expect(writer.keys).toEqual(allKeys());
    expect(live).toEqual({ rowsRead: ROWS, waitingFor: null, waitingReason: null });
  });

  it('after a statement timeout', async () => {
    const slow = sketchDefinition({
      source: { table: 'item', where: 'row.id <= 300' },
      document: { name: 'row.name || pg_sleep(0.005)::text' },
    });
    const writer = await readAll(proxied(), slow, {
      range: { start: null, end: 301n },
      limits: { statementTimeoutMs: 400 },
    });
    expect(writer.keys).toEqual(allKeys(300));
    expect(proxy.connections).toBeGreaterThan(3);
  });

  it('when the database refuses connections at first', async () => {
    const typesDigest = await typesDigestOf(direct(), items);
    proxy.refusing = true;
    const live = { rowsRead: 0, waitingFor: null as 'database' | null };
    const reading = readAll(proxied(), items, { typesDigest, live });
    await vi.waitUntil(() => proxy.connections >= 3 && live.waitingFor === 'database', { timeout: 10_000 });
    proxy.refusing = false;
    expect((await reading).keys).toEqual(allKeys());
  });
});

describe('a COPY that has to wait for the cluster', () => {
  it('is read no further, and is closed after a while', async () => {
    const wide = { ...items, document: [{ name: 'name', sql: 'repeat(row.name, 20)', mapping: null }] };
    const writer = new CollectingWriter({ capacityBytes: 2 * 1024 * 1024 });
    const submit = writer.submit.bind(writer);
    writer.submit = (batch) => {
      if (writer.batches === 2) writer.closed = true;
      submit(batch);
    };
    const reading = readAll(direct(), wide, { writer, limits: { maxCopyStallMs: 300 } });
    await vi.waitUntil(() => writer.closed, { timeout: 10_000 });
    expect(await connectionsOf()).toBe(1);
    const read = writer.documents.length;
    await vi.waitUntil(async () => (await connectionsOf()) === 0, { timeout: 10_000 });
    expect(writer.documents.length).toBe(read);
    writer.submit = submit;
    writer.open();
    await reading;
    expect(writer.keys).toEqual(allKeys());
  });
});

describe('an abort signal for reading a range', () => {
  it.each([
    ['while rows come', new CollectingWriter({ capacityBytes: 2 * 1024 * 1024, settleMs: 30 }), false],
    ['while it waits for the database', new CollectingWriter(), true],
  ])('ends it promptly %s, with nothing left behind', async (_name, writer, refusing) => {
    const typesDigest = await typesDigestOf(direct(), items);
    proxy.refusing = refusing;
    const end = new AbortController();
    const live = { rowsRead: 0, waitingFor: null as 'database' | null };
    const reading = readAll(proxied(), items, { typesDigest, writer, signal: end.signal, live }).then(
      () => 'completed',
      (error: unknown) => error,
    );
    await vi.waitUntil(() => (refusing ? live.waitingFor !== null : writer.documents.length > 0), {
      timeout: 10_000,
      interval: 2,
    });
    const reason = new TaskFailure('cancelled', 'cancelled', 'told to end');
    const abortedMs = performance.now();
    end.abort(reason);
    expect(await reading).toBe(reason);
    expect(performance.now() - abortedMs).toBeLessThan(500);
    expect(writer.documents.length).toBeLessThan(ROWS);
    await vi.waitUntil(async () => (await connectionsOf()) === 0, { timeout: 10_000 });
  });

  it('ends it before any call when it has already aborted', async () => {
    const typesDigest = await typesDigestOf(direct(), items);
    await expect(
      readAll(proxied(), items, { typesDigest, signal: AbortSignal.abort(new Error('over')) }),
    ).rejects.toThrow('over');
    expect(proxy.connections).toBe(0);
  });
});

describe('a row that breaks its own evaluation', () => {
  const numbers = sketchDefinition({ source: { table: 'mixed' }, document: { value: 'row.value::int' } });

  it.each([
    ['in the middle', [2500]],
    ['the first', [1]],
    ['the last', [5000]],
    ['several, some side by side', [1, 2, 3, 999, 1000, 1024, 1025, 2048, 4999, 5000]],
  ])('is found and dead-lettered alone: %s', async (_name, bad) => {
    await sql(
      `UPDATE mixed SET value = id::text; UPDATE mixed SET value = 'x' || id WHERE id IN (${bad.join(', ')})`,
    );
    const writer = await readAll(proxied(), numbers);
    const buried = new Set(bad.map(BigInt));
    expect(writer.keys).toEqual(allKeys(5000).filter((key) => !buried.has(key)));
    expect(writer.letters.map(({ key, type, fields }) => ({ key, type, fields }))).toEqual(
      bad.map((key) => ({ key: BigInt(key), type: '22P02', fields: null })),
    );
    expect(writer.letters[0]?.reason).toBe(
      'The field "value" cannot be computed: invalid input syntax for type integer: …, SQLSTATE 22P02.',
    );
    expect(writer.settledThrough).toBe(5000n);
  });

  it('is found when a sort evaluates many rows before the first one comes out', async () => {
    await sql(`UPDATE mixed SET value = id::text; UPDATE mixed SET value = 'x' WHERE id IN (100, 4000);
      CREATE TABLE unsorted AS SELECT * FROM mixed ORDER BY random(); ANALYZE unsorted`);
    const writer = await readAll(direct(), { ...numbers, source: { ...numbers.source, table: 'unsorted' } });
    expect(writer.letters.map(({ key }) => key)).toEqual([100n, 4000n]);
    expect(writer.keys).toHaveLength(4998);
  });

  it('stops the task when every row breaks', async () => {
    const broken = sketchDefinition({
      source: { table: 'mixed' },
      document: { value: "'x'::text || (1 / 0)" },
    });
    const failure = await failureOf(readAll(direct(), broken, { typesDigest: '0' }));
    expect(failure).toMatchObject({ next: 'stop', type: '22012' });
    expect(failure.message).toContain('division by zero');
  });
});

describe('a task that reads a range', () => {
  const stops = async (definition: IndexDefinition, typesDigest?: string): Promise<TaskFailure> => {
    const failure = await failureOf(
      readAll(direct(), definition, typesDigest === undefined ? {} : { typesDigest }),
    );
    expect(failure.next).toBe('stop');
    expect(failure.message).toContain(definition.source.table);
    expect(failure.message).toContain('"sketch"');
    return failure;
  };

  it('stops at equal keys in consecutive rows', async () => {
    const multiplied = sketchDefinition({
      source: { table: 'item', joins: [{ left: 'part', on: 'part.item_id = row.id' }] },
      document: { label: 'part.label' },
    });
    const failure = await stops(multiplied);
    expect(failure.type).toBe('key_not_unique');
    expect(failure.message).toContain('700');
  });

  it('stops at columns of another type than planned', async () => {
    await sql('CREATE TABLE changing (id bigint PRIMARY KEY, value int); INSERT INTO changing VALUES (1, 1)');
    const definition = sketchDefinition({ source: { table: 'changing' }, document: { value: 'row.value' } });
    const typesDigest = await typesDigestOf(direct(), definition);
    await sql('ALTER TABLE changing ALTER COLUMN value TYPE bigint');
    expect((await stops(definition, typesDigest)).type).toBe('columns_changed');
  });

  it('stops at a missing table or column', async () => {
    expect(
      (await stops(sketchDefinition({ source: { table: 'missing' }, document: { a: 'row.a' } }), '0')).type,
    ).toBe('42P01');
    expect(
      (await stops(sketchDefinition({ source: { table: 'item' }, document: { a: 'row.missing' } }), '0'))
        .type,
    ).toBe('42703');
  });

  it('stops at an expression that writes, because the transaction is read-only', async () => {
    await sql(`CREATE TABLE trace (id bigint); CREATE FUNCTION leave_trace(id bigint) RETURNS bigint LANGUAGE sql
      AS 'INSERT INTO trace VALUES (id) RETURNING id'`);
    const writing = sketchDefinition({ source: { table: 'item' }, document: { a: 'leave_trace(row.id)' } });
    expect((await stops(writing)).type).toBe('25006');
  });

  it('stops at a database that refuses the worker, without showing its password', async () => {
    const url = new URL(database.url);
    url.password = 'a-secret-password';
    const failure = await failureOf(readAll({ connectionString: url.href }, items, { typesDigest: '0' }));
    expect(failure).toMatchObject({ next: 'stop', type: '28P01' });
    expect(failure.message).not.toContain('a-secret-password');
    url.href = database.url;
    url.pathname = '/no_such_database';
    expect(
      await failureOf(readAll({ connectionString: url.href }, items, { typesDigest: '0' })),
    ).toMatchObject({ next: 'stop', type: '3D000' });
  });

  it('stops at a database without TLS when TLS is required', async () => {
    const failure = await failureOf(readAll({ ...direct(), ssl: true }, items, { typesDigest: '0' }));
    expect(failure).toMatchObject({ next: 'stop', type: 'database_refused' });
  });
});
