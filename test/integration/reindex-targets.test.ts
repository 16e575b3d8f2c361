import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TaskFailure } from '../../worker/task-failure.ts';
import type { CollectingTarget } from '../support/collecting-target.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type DefinitionSketch, sketchDefinition } from '../support/definitions.ts';
import { withClient } from '../support/read-all.ts';
import {
  type ReadForTargets,
  readForTargets,
  type ReadForTargetsOptions,
} from '../support/read-for-targets.ts';

const ROWS = 3_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await withClient({ connectionString: database.url }, (client) =>
    client.query(`
      CREATE TABLE article (id bigint PRIMARY KEY, title text, body text, rank int, score float8, shown boolean);
      INSERT INTO article
        SELECT i, 'title "' || i || '"', repeat('body ', i % 40), i % 7, CASE WHEN i % 500 = 0 THEN 'NaN' ELSE i / 4.0 END, i % 3 <> 0
        FROM generate_series(1, ${ROWS}) i;
      ANALYZE article`),
  );
});
afterAll(() => database.drop());

type Sketch = Omit<DefinitionSketch, 'source'> & { where?: string };

const FIELDS = { title: 'row.title', body: 'row.body', rank: 'row.rank', score: 'row.score' };

const define = ({ where, ...sketch }: Sketch) =>
  sketchDefinition({ ...sketch, source: { table: 'article', where: where ?? null } });

const read = (reading: Sketch, targets: readonly Sketch[], options?: ReadForTargetsOptions) =>
  readForTargets({ connectionString: database.url }, define(reading), targets.map(define), options);

/** Each row has one outcome at each target. */
function expectWhole({ writer }: Awaited<ReturnType<typeof read>>, rows: number): void {
  expect(writer.counts.rowsRead).toBe(rows);
  for (const { indexed, superseded, filtered, deadLetters } of writer.counts.targets)
    expect(indexed + superseded + filtered + deadLetters).toBe(rows);
}

const keys = (targets: readonly CollectingTarget[]): number[][] =>
  targets.map((target) => target.keys.map(Number));

const all = Array.from({ length: ROWS }, (_, i) => i + 1);

describe('one reading for several targets', () => {
  const targets: Sketch[] = [
    { document: FIELDS, where: 'row.shown' },
    { document: { title: FIELDS.title, rank: FIELDS.rank }, where: 'row.rank > 2' },
    { document: { score: FIELDS.score, body: FIELDS.body } },
    { document: { rank: FIELDS.rank }, where: 'row.shown', unrepresentable: 'dead_letter' },
  ];

  it('gives each target the same documents, byte for byte, as its own reading would', async () => {
    const together = await read({ document: FIELDS }, targets);
    for (const [i, target] of targets.entries()) {
      // In the order of the reading's fields, as the rows come.
      const fields = Object.entries(FIELDS).filter(([name]) => name in target.document);
      const ordered = { ...target, document: Object.fromEntries(fields) };
      const alone = await read(ordered, [ordered]);
      expect(together.targets[i]?.documents).toEqual(alone.targets[0]?.documents);
      expect(together.writer.counts.targets[i]).toEqual(alone.writer.counts.targets[0]);
    }
    expectWhole(together, ROWS);
    expect(together.targets[1]?.documents[0]).toBe('{"id":3,"title":"title \\"3\\"","rank":3}');
    expect(together.writer.settledThrough).toBe(BigInt(ROWS));
  });

  it.each([1_200, 3_000, 20_000])(
    'is complete with batches of %i bytes, whichever target’s batch is full first',
    async (capacityBytes) => {
      const sketches = targets.map((target) => ({ ...target, maxDocumentBytes: 900 }));
      const done = await read({ document: FIELDS, maxDocumentBytes: 900 }, sketches, { capacityBytes });
      expectWhole(done, ROWS);
      expect(keys(done.targets)).toEqual([
        all.filter((i) => i % 3 !== 0),
        all.filter((i) => i % 7 > 2),
        all,
        all.filter((i) => i % 3 !== 0),
      ]);
      expect(done.targets[0]?.batches).toBe(done.targets[1]?.batches);
    },
  );

  it('reads the rows of a range, and counts separately what no target takes', async () => {
    const some = [
      { document: FIELDS, where: 'row.id < 30' },
      { document: FIELDS, where: 'row.id IN (10, 45)' },
    ];
    const done = await read({ document: FIELDS }, some, { range: { start: 5n, end: 50n } });
    expectWhole(done, 45);
    expect(done.writer.counts).toMatchObject({
      filtered: 19,
      targets: [
        { indexed: 25, filtered: 20 },
        { indexed: 2, filtered: 43 },
      ],
    });
  });

  it('evaluates a field in no row that all of its targets leave out', async () => {
    const broken = 'CASE WHEN row.id <= 10 THEN 1 / (row.id - row.id) END';
    const done = await read({ document: { ...FIELDS, broken } }, [
      { document: { title: FIELDS.title, broken }, where: 'row.id > 10' },
      { document: { title: FIELDS.title } },
    ]);
    expectWhole(done, ROWS);
    expect(done.writer.counts.targets).toMatchObject([
      { indexed: ROWS - 10, filtered: 10, deadLetters: 0 },
      { indexed: ROWS, filtered: 0, deadLetters: 0 },
    ]);
  });

  it('dead-letters a row that breaks the COPY once in every target that keeps it', async () => {
    const broken = 'CASE WHEN row.id IN (7, 1500) THEN 1 / (row.id - row.id) END';
    const done = await read({ document: { ...FIELDS, broken } }, [
      { document: { broken } },
      { document: { title: FIELDS.title }, where: 'row.id > 100' },
    ]);
    expectWhole(done, ROWS);
    const letters = done.targets.map((target) => target.letters.map(({ key, type }) => [key, type]));
    expect(letters).toEqual([
      [
        [7n, '22012'],
        [1500n, '22012'],
      ],
      [[1500n, '22012']],
    ]);
    // What it left out is counted as that, or its validation would find a dead letter of no row.
    expect(done.writer.counts.targets[1]).toMatchObject({ filtered: 100, deadLetters: 1 });
  });

  it('dead-letters a row that breaks a condition in every target', async () => {
    const where = '1 / (row.id - 7) < 2';
    const done = await read({ document: FIELDS }, [
      { document: { title: FIELDS.title }, where },
      { document: { title: FIELDS.title }, where: 'row.id > 100' },
    ]);
    expectWhole(done, ROWS);
    for (const { letters } of done.targets)
      expect(letters.map(({ key, type }) => [key, type])).toEqual([[7n, '22012']]);
  });

  it('applies to each target only its own limits, policy and kept fields', async () => {
    const reading = { document: FIELDS, maxDocumentBytes: 10_000 };
    const done = await read(reading, [
      { document: FIELDS, maxDocumentBytes: 200, keepFields: ['rank'] },
      { document: FIELDS, unrepresentable: 'dead_letter', keepFields: ['title', 'score'] },
      { document: { title: FIELDS.title }, maxDocumentBytes: 200, unrepresentable: 'dead_letter' },
    ]);
    expectWhole(done, ROWS);
    const [short, strict, lean] = done.targets;
    expect(short?.letters.length).toBeGreaterThan(0);
    expect(new Set(short?.letters.map(({ type }) => type))).toEqual(new Set(['document_too_large']));
    expect(strict?.letters.map(({ key, type, fields }) => [Number(key), type, fields])).toEqual(
      [500, 1_000, 1_500, 2_000, 2_500, 3_000].map((id) => [
        id,
        'unrepresentable_value',
        `{"title":"title \\"${id}\\"","score":null}`,
      ]),
    );
    expect(lean?.letters).toEqual([]);
  });

  it('dead-letters a row over every limit only in targets that take it', async () => {
    const huge = `CASE WHEN row.id IN (3, 4) THEN repeat('x', 100000) END`;
    const limits = { maxDocumentBytes: 50_000 };
    const done = await read({ document: { huge, ...FIELDS }, ...limits }, [
      { document: { huge }, where: 'row.id < 100', ...limits },
      { document: { title: FIELDS.title }, where: 'row.id <> 3', maxDocumentBytes: 1_000 },
    ]);
    expectWhole(done, ROWS);
    expect(
      done.targets.map(({ letters }) => letters.map(({ key, reason }) => [Number(key), reason])),
    ).toEqual([
      [
        [3, expect.stringContaining('max_document_bytes is 50000')],
        [4, expect.stringContaining('max_document_bytes is 50000')],
      ],
      [[4, expect.stringContaining('max_document_bytes is 1000')]],
    ]);
  });

  it('works with fewer batches than targets', async () => {
    const done = await read({ document: FIELDS }, targets, { batches: 2, capacityBytes: 1_048_576 + 256 });
    expectWhole(done, ROWS);
    expect(done.writer.settledThrough).toBe(BigInt(ROWS));
  });

  it('waits for a target that is stuck, counts nothing beyond it, and then goes on', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: prepared, resolve: prepare } = Promise.withResolvers<ReadForTargets>();
    let deliveries = 0;
    const reading = read({ document: FIELDS, maxDocumentBytes: 900 }, targets.slice(0, 2).map(small), {
      capacityBytes: 3_000,
      batches: 6,
      prepare: (made) => {
        const [slow] = made.targets;
        if (slow !== undefined) slow.before = () => (++deliveries > 2 ? gate : Promise.resolve());
        prepare(made);
      },
    });
    const {
      writer,
      targets: [slow, ahead],
    } = await prepared;
    // Its share is three batches, and it holds them all: the other target has delivered as many stretches and no more.
    await expect.poll(() => [slow?.batches, ahead?.batches]).toEqual([2, 5]);
    expect(slow?.share.take()).toBeNull();
    const [settled, beyond] = writer.counts.targets;
    expect(settled?.indexed).toBe(slow?.keys.length);
    expect(beyond?.indexed).toBeLessThan(ahead?.keys.length ?? 0);
    const through = Number(writer.settledThrough);
    expect(writer.counts.rowsRead).toBe(through);
    expect(beyond?.indexed).toBe(ahead?.keys.filter((key) => Number(key) <= through).length);
    open();
    const done = await reading;
    expectWhole(done, ROWS);
    expect(done.writer.settledThrough).toBe(BigInt(ROWS));
  });

  it('ends for all targets when one fails, with every batch given back', async () => {
    const { promise: prepared, resolve: prepare } = Promise.withResolvers<ReadForTargets>();
    let deliveries = 0;
    const reading = read({ document: FIELDS, maxDocumentBytes: 900 }, targets.slice(0, 2).map(small), {
      capacityBytes: 3_000,
      batches: 4,
      prepare: (made) => {
        const [, failing] = made.targets;
        if (failing !== undefined)
          failing.before = () =>
            ++deliveries === 4
              ? Promise.reject(new TaskFailure('stop', 'full', 'no room'))
              : Promise.resolve();
        prepare(made);
      },
    });
    await expect(reading).rejects.toMatchObject({ next: 'stop', type: 'full' });
    const made = await prepared;
    expectWhole(made, made.writer.counts.rowsRead);
    for (const { share } of made.targets) {
      expect([share.take(), share.take(), share.take()]).toEqual([
        expect.anything(),
        expect.anything(),
        null,
      ]);
    }
  });
});

function small(sketch: Sketch): Sketch {
  return { ...sketch, maxDocumentBytes: 900 };
}
