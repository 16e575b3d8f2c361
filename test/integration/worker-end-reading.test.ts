import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { Client } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import type { DeadLetter } from '../../worker/dead-letter.ts';
import type { Position } from '../../worker/source/position.ts';
import { readRange, type ReadLimits, type RowConsumer } from '../../worker/source/read-range.ts';
import type { Row } from '../../worker/source/row.ts';
import { DEFAULT_SESSION_LIMITS } from '../../worker/source/session.ts';
import { CollectingWriter } from '../support/collecting-writer.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { positionIn, readAll, typesDigestOf, withClient } from '../support/read-all.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Keys of `item`: every tenth from 10 on. */
const ROWS = 20_000;
const WHOLE: KeyRange = { start: null, end: null };

let database: TestDatabase;
const direct = () => ({ connectionString: database.url });

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await sql(`
    CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL);
    INSERT INTO item SELECT i * 10, 'item ' || i || repeat(' padding', 20) FROM generate_series(1, ${ROWS}) i;
    CREATE TABLE mixed (id bigint PRIMARY KEY, value text);
    INSERT INTO mixed SELECT i, CASE WHEN i IN (1, 700, 2500) THEN 'x' ELSE i::text END FROM generate_series(1, 5000) i;
    CREATE TABLE edge (id bigint PRIMARY KEY);
    INSERT INTO edge VALUES (-9223372036854775808), (-9223372036854775807), (-1), (0), (9223372036854775806), (9223372036854775807);
    ANALYZE`);
});
afterAll(() => database.drop());

const items = sketchDefinition({ source: { table: 'item' }, document: { name: 'row.name' } });
const numbers = sketchDefinition({ source: { table: 'mixed' }, document: { value: 'row.value::int' } });
/** Keys of `item` below an end. */
const itemsBelow = (end: bigint): bigint[] =>
  Array.from({ length: ROWS }, (_, i) => BigInt(i + 1) * 10n).filter((key) => key < end);
const range = (first: number, last: number): bigint[] =>
  Array.from({ length: last - first + 1 }, (_, i) => BigInt(first + i));

async function sql(text: string): Promise<void> {
  await withClient(direct(), (client) => client.query(text));
}

/** Keeps the keys that it takes. What it does at a row or a dead letter, and when it is asked for room, is up to the test. */
class Recorder implements RowConsumer {
  readonly keys: Key[] = [];
  readonly buried: Key[] = [];
  /** Whether there is no room for this key now. */
  full: (key: Key) => boolean = () => false;
  onRoom: () => void | Promise<void> = () => undefined;

  begin(): void {}

  take(row: Row): boolean {
    const { key } = row.key;
    if (this.full(key)) return false;
    this.keys.push(key);
    return true;
  }

  buryOversized({ key: { key } }: Row): boolean {
    return this.bury({ key });
  }

  bury({ key }: Pick<DeadLetter, 'key'>): boolean {
    if (this.full(key)) return false;
    this.buried.push(key);
    return true;
  }

  async room(): Promise<void> {
    await this.onRoom();
  }
}

async function record(
  definition: IndexDefinition,
  position: Position,
  recorder: Recorder,
  limits: Partial<ReadLimits> = {},
): Promise<void> {
  const planned = { definition, typesDigest: await typesDigestOf(direct(), definition) };
  await readRange({ reading: planned, targets: [planned], position }, recorder, {
    database: direct(),
    limits: { ...DEFAULT_SESSION_LIMITS, maxCopyStallMs: 60_000, ...limits },
    signal: new AbortController().signal,
    onWaiting: () => undefined,
  });
}

/** Full at this key until the end was lowered. */
function fullOnceAt(recorder: Recorder, stop: bigint, lower: () => void): void {
  let lowered = false;
  recorder.full = (key) => key === stop && !lowered;
  recorder.onRoom = () => {
    lowered = true;
    lower();
  };
}

describe('an end that is moved down while rows are read', () => {
  it.each([
    ['an end at the very row at hand', 0n, 0],
    ['an end just behind the row at hand', 1n, 1],
    ['an end at the next row', 10n, 1],
    ['an end just behind the next row', 11n, 2],
    ['an end between rows further on', 25_005n, 2_501],
  ])('is where reading ends for %s', async (_name, delta, more) => {
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    fullOnceAt(recorder, 50_000n, () => expect(position.lowerEnd(50_000n + delta)).toBe(true));
    await record(items, position, recorder);
    expect(recorder.keys).toEqual(itemsBelow(50_000n + delta));
    expect(recorder.keys.length).toBe(4_999 + more);
    expect(position.rows).toBe(recorder.keys.length);
  });

  it('is refused at a row that was already read, and reading goes on to the old end', async () => {
    const position = positionIn({ start: null, end: 60_000n });
    const recorder = new Recorder();
    fullOnceAt(recorder, 50_000n, () => {
      expect([position.lowerEnd(49_990n), position.lowerEnd(60_000n), position.lowerEnd(70_000n)]).toEqual([
        false,
        false,
        false,
      ]);
    });
    await record(items, position, recorder);
    expect(recorder.keys).toEqual(itemsBelow(60_000n));
  });

  it('may move repeatedly with bulks in flight, and the counts cover exactly the rows below it', async () => {
    const position = positionIn({ start: null, end: 199_000n });
    const writer = new CollectingWriter({ capacityBytes: 1_200_000, settleMs: 5 });
    const submit = writer.submit.bind(writer);
    let end = 199_000n;
    let moves = 0;
    writer.submit = (stretch) => {
      submit(stretch);
      const settled = BigInt(writer.settledThrough ?? 0n);
      const next = settled + (end - settled) / 2n;
      if (!position.lowerEnd(next)) return;
      end = next;
      moves++;
    };
    await readAll(direct(), items, { position, writer });
    expect(writer.keys).toEqual(itemsBelow(end));
    expect(moves).toBeGreaterThan(1);
    expect(writer.counts.rowsRead).toBe(writer.keys.length);
    expect(writer.settledThrough).toBe(writer.keys.at(-1));
    expect(position.coversKey(end)).toBe(false);
  });

  it('ends the COPY there, and rows behind it are not awaited', async () => {
    const holder = new Client(direct());
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('SELECT pg_advisory_lock(1)');
    const stuck = sketchDefinition({
      source: { table: 'item' },
      document: {
        name: `CASE WHEN row.id < 150000 THEN row.name ELSE pg_advisory_lock_shared(1)::text || row.name END`,
      },
    });
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    fullOnceAt(recorder, 50_000n, () => position.lowerEnd(100_000n));
    await record(stuck, position, recorder);
    expect(recorder.keys).toEqual(itemsBelow(100_000n));
  });

  it('stays in force for a COPY that is opened again after a stall', async () => {
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    let asked = 0;
    recorder.full = (key) => key === 50_000n && asked === 0;
    recorder.onRoom = async () => {
      asked++;
      position.lowerEnd(50_020n);
      await new Promise((resolve) => setTimeout(resolve, 100));
    };
    await record(items, position, recorder, { maxCopyStallMs: 10 });
    expect(recorder.keys).toEqual(itemsBelow(50_020n));
  });

  it('is exact at both ends of bigint', async () => {
    const definition = sketchDefinition({ source: { table: 'edge' }, document: { same: 'row.id' } });
    const smallest = -(2n ** 63n);
    const keys = [smallest, smallest + 1n, -1n, 0n, 2n ** 63n - 2n, 2n ** 63n - 1n];
    for (const [i, end] of keys.slice(1).entries()) {
      const position = positionIn(WHOLE);
      const recorder = new Recorder();
      fullOnceAt(recorder, smallest, () => position.lowerEnd(end));
      await record(definition, position, recorder);
      expect(recorder.keys).toEqual(keys.slice(0, i + 1));
    }
  });
});

describe('filtered rows and dead letters around a moved end', () => {
  it.each([49_990n, 50_000n, 50_001n, 50_010n, 50_020n, 50_021n])('count only below it: %s', async (end) => {
    const definition = sketchDefinition({
      source: { table: 'item', where: 'row.id NOT IN (49990, 50010)' },
      document: { name: `CASE WHEN row.id IN (49980, 50000, 50020) THEN repeat('x', 3000) ELSE 'x' END` },
      maxDocumentBytes: 2_000,
    });
    const position = positionIn(WHOLE);
    const writer = new CollectingWriter({ capacityBytes: 10_000 });
    const submit = writer.submit.bind(writer);
    let moved = false;
    writer.submit = (stretch) => {
      submit(stretch);
      if (BigInt(writer.settledThrough ?? 0n) > 30_000n) moved ||= position.lowerEnd(end);
    };
    await readAll(direct(), definition, { position, writer });
    const below = itemsBelow(end);
    const letters = [49_980n, 50_000n, 50_020n].filter((key) => key < end);
    const filtered = [49_990n, 50_010n].filter((key) => key < end);
    expect(writer.letters.map(({ key }) => key)).toEqual(letters);
    expect(writer.keys).toEqual(below.filter((key) => !letters.includes(key) && !filtered.includes(key)));
    expect(writer.counts).toMatchObject({ rowsRead: below.length, filtered: filtered.length });
    expect(writer.settledThrough).toBe(below.at(-1));
  });
});

describe('an end that is moved down during the search for a row that breaks the COPY', () => {
  it('to before that row leaves the row to the other task, and it is not dead-lettered here', async () => {
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    fullOnceAt(recorder, 2500n, () => expect(position.lowerEnd(2500n)).toBe(true));
    await record(numbers, position, recorder);
    expect(recorder.buried).toEqual([1n, 700n]);
    expect(recorder.keys).toEqual(range(2, 2499).filter((key) => key !== 700n));
    expect(position.rows).toBe(2499);
  });

  it('to just behind that row has the row dead-lettered as the last one', async () => {
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    fullOnceAt(recorder, 2500n, () => position.lowerEnd(2501n));
    await record(numbers, position, recorder);
    expect(recorder.buried).toEqual([1n, 700n, 2500n]);
    expect(position).toMatchObject({ lastKey: 2500n, rows: 2500, rest: null });
  });

  it.each([2, 400, 700, 701, 1_700])('to %i, within a searched part, ends the reading there', async (end) => {
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    fullOnceAt(recorder, 1n, () => position.lowerEnd(BigInt(end)));
    await record(numbers, position, recorder);
    const below = range(1, end - 1);
    expect(recorder.buried).toEqual([1n, 700n].filter((key) => key < BigInt(end)));
    expect(recorder.keys).toEqual(below.filter((key) => key !== 1n && key !== 700n));
    expect([position.rows, position.rest]).toEqual([below.length, null]);
  });

  it('to a key within the part that is being read ends the reading there', async () => {
    const position = positionIn(WHOLE);
    const recorder = new Recorder();
    fullOnceAt(recorder, 20n, () => position.lowerEnd(25n));
    await record(numbers, position, recorder);
    expect([recorder.buried, recorder.keys]).toEqual([[1n], range(2, 24)]);
    // The part went further: nothing of it is settled behind the end.
    expect(position.lastKey).toBe(24n);
  });
});

describe('an end that is moved down while the database is down', () => {
  it.each([
    ['further on', 30_000n],
    ['to where reading stood', null],
  ])('%s is where reading ends, at once or when the database is back', async (_name, further) => {
    const proxy = await TcpProxy.start(database.url);
    onTestFinished(() => proxy.stop());
    const typesDigest = await typesDigestOf(direct(), items);
    proxy.cutAfterBytes.push(400_000);
    const position = positionIn(WHOLE);
    const writer = new CollectingWriter();
    const live = { rowsRead: 0, waitingFor: null as 'database' | null };
    const end = new AbortController();
    onTestFinished(() => end.abort(new Error('the test is over')));
    const signal = end.signal;
    const reading = readAll({ connectionString: proxy.url }, items, {
      typesDigest,
      position,
      writer,
      live,
      signal,
    });
    await vi.waitUntil(() => proxy.connections > 0, { timeout: 10_000, interval: 1 });
    proxy.refusing = true;
    await vi.waitUntil(() => live.waitingFor === 'database', { timeout: 10_000 });
    const { lastKey } = position;
    if (lastKey === null) throw new Error('nothing was read before the cut');
    const lowered = further ?? BigInt(lastKey) + 1n;
    expect([position.lowerEnd(lastKey), position.lowerEnd(lowered)]).toEqual([false, true]);
    if (further !== null) proxy.refusing = false;
    await reading;
    expect(writer.keys).toEqual(itemsBelow(lowered));
    expect(live.waitingFor).toBeNull();
  });
});
