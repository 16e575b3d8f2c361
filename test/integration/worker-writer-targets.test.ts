import { afterEach, describe, expect, it } from 'vitest';
import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
import { BatchPool } from '../../worker/targets/batch-pool.ts';
import { BulkTarget } from '../../worker/targets/bulk/bulk-target.ts';
import { BulkClient } from '../../worker/targets/bulk/send.ts';
import { TaskWriter } from '../../worker/targets/targets-writer.ts';
import { addDocument } from '../support/batches.ts';
import {
  answerWith,
  type BulkRequest,
  failedItem,
  type ItemAnswer,
  type ScriptedCluster,
  startScriptedCluster,
  storeAll,
} from '../support/scripted-cluster.ts';
import type { Script } from '../support/writer-setup.ts';

const SLOW = { index: 'slow-1', write_alias: 'slow-write', dead_letter_alias: 'slow-dead' };
const FAST = { index: 'fast-1', write_alias: 'fast-write', dead_letter_alias: 'fast-dead' };
const POOL_SIZE = 4;

interface Setup {
  readonly cluster: ScriptedCluster;
  readonly writer: TaskWriter;
  readonly end: AbortController;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A writer with two indexes before a scripted cluster. */
async function setup(script: Script): Promise<Setup> {
  const cluster = await startScriptedCluster((alias) => alias.replace('write', '1'), script);
  const client = new BulkClient({
    url: cluster.url,
    authorization: null,
    requestTimeoutMs: 60_000,
    connections: POOL_SIZE + 1,
  });
  const pool = new BatchPool(64 * 1024, POOL_SIZE);
  const end = new AbortController();
  const open = (signal: AbortSignal): BulkTarget[] =>
    [SLOW, FAST].map(
      (names) =>
        new BulkTarget({
          client,
          names,
          share: pool.share(2, INTEGER_KEY_BYTES),
          keys: INTEGER_KEY_BYTES,
          keyColumn: 'id',
          fields: ['name'],
          keepFields: [],
          versioned: false,
          pipeline: null,
          maxBytesInFlight: 128 * 1024,
          coolDownMs: 50,
          signal,
          now: () => performance.now(),
          random: () => 0,
        }),
    );
  const writer = new TaskWriter(open, end.signal);
  ends.push(
    () => writer.abandon(new Error('the test is over')),
    () => client.close(),
    () => cluster.close(),
  );
  return { cluster, writer, end };
}

/** Writes stretches of two documents each, with keys from 1 on. */
async function write({ writer, end }: Setup, stretches: number): Promise<void> {
  for (let i = 0; i < stretches; i++) {
    const stretch = await writer.acquire(end.signal);
    addDocument(stretch, BigInt(2 * i + 1));
    addDocument(stretch, BigInt(2 * i + 2));
    writer.submit(stretch);
  }
  await writer.finish(end.signal);
}

const requestsTo = ({ cluster }: Setup, { write_alias: alias }: typeof SLOW): BulkRequest[] =>
  cluster.requests.filter((request) => request.alias === alias);

const counts = (indexed: number, deadLetters = 0) => ({ indexed, superseded: 0, filtered: 0, deadLetters });

describe('the writer of a task with two indexes', () => {
  it('holds the reading back for an index that does not answer, and counts nothing of the other beyond it', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const s = await setup(async ({ alias, ids }) => {
      if (alias === SLOW.write_alias && !ids.includes('1')) await gate;
      return storeAll();
    });
    const written = write(s, 6);
    // Of its two batches the slow one holds both: three stretches went out, one of them is settled.
    await expect.poll(() => requestsTo(s, FAST).length).toBe(3);
    await expect.poll(() => s.writer.settledThrough).toBe(2n);
    await expect.poll(() => s.cluster.stored.size).toBe(2 + 6);
    expect(s.writer.tryAcquire()).toBeNull();
    expect(s.writer.counts).toEqual({ rowsRead: 2, filtered: 0, targets: [counts(2), counts(2)] });
    open();
    await written;
    expect(s.writer.counts).toEqual({ rowsRead: 12, filtered: 0, targets: [counts(12), counts(12)] });
    expect(s.writer.settledThrough).toBe(12n);
  });

  it('sends again only to the index that refuses documents for now', async () => {
    const s = await setup(({ alias }, response) =>
      alias === SLOW.write_alias && requestsTo(s, SLOW).length <= 2
        ? answerWith(response, 429, '')
        : storeAll(),
    );
    await write(s, 1);
    expect([requestsTo(s, SLOW).length, requestsTo(s, FAST).length, s.writer.retries]).toEqual([3, 1, 2]);
    expect(s.writer.counts.targets).toEqual([counts(2), counts(2)]);
  });

  it('dead-letters a document only in the index that refuses it', async () => {
    const refuse = ({ ids }: BulkRequest): ItemAnswer[] =>
      ids.map((id) => (id === '2' ? failedItem(id, 400, 'mapper_parsing_exception') : null));
    const s = await setup((request) => (request.alias === FAST.write_alias ? refuse(request) : storeAll()));
    await write(s, 2);
    expect(s.writer.counts).toEqual({ rowsRead: 4, filtered: 0, targets: [counts(4), counts(3, 1)] });
    expect([...s.cluster.stored.keys()].filter((place) => place.includes('dead'))).toEqual(['fast-dead/2']);
  });

  it('ends at once when it is cancelled while one index does not answer', async () => {
    const s = await setup(({ alias }) => (alias === SLOW.write_alias ? null : storeAll()));
    const ended = write(s, 6).catch((error: unknown) => error);
    await expect.poll(() => requestsTo(s, FAST).length).toBe(2);
    s.end.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
    await s.writer.abandon(s.end.signal.reason);
    expect(s.writer.counts).toEqual({ rowsRead: 0, filtered: 0, targets: [counts(0), counts(0)] });
  });
});
