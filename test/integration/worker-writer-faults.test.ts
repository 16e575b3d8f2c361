import type { ServerResponse } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answerWith,
  type BulkRequest,
  failedItem,
  type ItemAnswer,
  startScriptedCluster,
  storeAll,
} from '../support/scripted-cluster.ts';
import type { TaskFailure } from '../../worker/task-failure.ts';
import {
  countsOf,
  placesOf,
  type Script,
  storedIn,
  TARGET,
  write,
  writerSetups,
} from '../support/writer-setup.ts';

const setup = writerSetups();

type Trouble = (response: ServerResponse) => null;

/** The trouble for so many requests, then all is well. */
function once(trouble: Trouble, requests = 1): Script {
  return (_request, response, number) => (number <= requests ? trouble(response) : storeAll());
}

describe('the writer of a task on a cluster in trouble', () => {
  it('sends again only those items that were refused for now', async () => {
    const s = await setup((request, _response, number) =>
      number === 1
        ? request.ids.map((id) =>
            Number(id) % 3 === 0 ? failedItem(id, 429, 'rejected_execution_exception') : null,
          )
        : storeAll(),
    );
    await write(s, 10);
    expect(s.cluster.requests.map((request) => request.ids)).toEqual([expect.anything(), ['3', '6', '9']]);
    expect(s.cluster.requests[1]?.documents[1]).toBe('{"id":6,"name":"place 6"}');
    expect(storedIn(s, TARGET.write_alias)).toEqual(placesOf(TARGET.write_alias, 10));
    expect(countsOf(s).indexed).toBe(10);
    expect(s.writer.retries).toBe(1);
  });

  it('obeys Retry-After of an answer 429 to a whole request', async () => {
    const s = await setup(once((response) => answerWith(response, 429, 'slow down', { 'retry-after': '1' })));
    const began = performance.now();
    await write(s, 5);
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
    expect(storedIn(s, TARGET.write_alias)).toEqual(placesOf(TARGET.write_alias, 5));
  });

  it('waits for a cluster that is down, and says so', async () => {
    const s = await setup(
      once((response) => answerWith(response, 503, { error: { type: 'x', reason: 'no manager' } }), 3),
    );
    const written = write(s, 4);
    await expect.poll(() => s.writer.waiting, { interval: 5 }).toBe(true);
    await written;
    expect(s.writer.waiting).toBe(false);
    expect(s.cluster.requests.map((request) => request.ids.length)).toEqual([4, 4, 4, 4]);
    expect(storedIn(s, TARGET.write_alias)).toEqual(placesOf(TARGET.write_alias, 4));
  });

  it('halves the batch on the third 429 and on the third reset in a row', async () => {
    for (const trouble of [
      (response: ServerResponse) => answerWith(response, 429, 'full'),
      (response: ServerResponse) => (response.destroy(), null),
    ]) {
      const s = await setup(once(trouble, 3));
      await write(s, 8);
      expect(s.cluster.requests.map((request) => request.ids.length)).toEqual([8, 8, 8, 4, 4]);
      expect(storedIn(s, TARGET.write_alias)).toEqual(placesOf(TARGET.write_alias, 8));
    }
  });

  it('halves the batch on 413 down to the one document that is too large', async () => {
    const s = await setup((request, response) =>
      request.ids.includes('6') && request.alias === TARGET.write_alias
        ? answerWith(response, 413, '')
        : storeAll(),
    );
    await write(s, 8);
    expect(countsOf(s)).toMatchObject({ indexed: 7, deadLetters: 1 });
    expect(s.cluster.stored.get(`${TARGET.dead_letter_alias}/6`)).toBe(1);
    expect(s.cluster.requests.at(-1)?.documents[0]).toContain('"type":"request_too_large"');
    expect([...s.cluster.stored.values()].every((times) => times === 1)).toBe(true);
  });

  it('finds the document that makes a whole request fail with 400', async () => {
    const s = await setup((request, response) =>
      request.ids.includes('3') && request.alias === TARGET.write_alias
        ? answerWith(response, 400, { error: { type: 'illegal_argument_exception', reason: 'odd bytes' } })
        : storeAll(),
    );
    await write(s, 5);
    expect(countsOf(s)).toMatchObject({ indexed: 4, deadLetters: 1 });
    expect(s.cluster.requests.at(-1)?.documents[0]).toContain(
      '"reason":"The document is refused: illegal_argument_exception."',
    );
  });

  it.each<[number, object | string, string]>([
    [401, { error: { type: 'security_exception', reason: 'missing authentication' } }, 'security_exception'],
    [403, { error: { type: 'security_exception', reason: 'no permissions' } }, 'security_exception'],
    [404, 'no such path', 'status_404'],
    [302, '', 'status_302'],
    [429, { error: { type: 'cluster_block_exception', reason: 'flood stage' } }, 'cluster_block_exception'],
  ])('stops at status %i for a whole request with %j', async (status, body, type) => {
    const s = await setup(once((response) => answerWith(response, status, body), 1_000));
    await expect(write(s, 2)).rejects.toMatchObject({ next: 'stop', type });
    expect(s.cluster.requests).toHaveLength(1);
  });

  it.each<[number, string]>([
    [403, 'cluster_block_exception'],
    [429, 'cluster_block_exception'],
    [404, 'index_not_found_exception'],
  ])('stops at an item with %i %s, and fails those who wait for a batch', async (status, type) => {
    const s = await setup((request) =>
      request.ids.map((id) => failedItem(id, status, type, 'the very words')),
    );
    await expect(write(s, 2, 2, 2, 2, 2, 2, 2, 2)).rejects.toMatchObject({
      next: 'stop',
      type,
      message: expect.stringContaining('the very words'),
    });
    expect(() => s.writer.tryAcquire()).toThrow(expect.objectContaining({ type }));
    await expect(s.writer.acquire(s.end.signal)).rejects.toMatchObject({ type });
    expect(s.writer.settledThrough).toBeNull();
  });

  it.each<[string, (response: ServerResponse) => null]>([
    [
      'another id',
      (response) =>
        answerWith(response, 200, {
          items: [{ index: { _index: 'cities-1', _id: '9', status: 201, result: 'created' } }],
        }),
    ],
    ['no items', (response) => answerWith(response, 200, {})],
  ])('sends everything again after an answer with %s, and stops when that lasts', async (_name, answer) => {
    const mended = await setup(once(answer, 2));
    await write(mended, 1);
    expect(countsOf(mended).indexed).toBe(1);
    const lasting = await setup(once(answer, 1_000));
    await expect(write(lasting, 1)).rejects.toMatchObject({ next: 'stop', type: 'response_mismatch' });
    expect(lasting.cluster.requests).toHaveLength(3);
  });

  it('waits for the cluster while a gateway answers with a page and status 200', async () => {
    const s = await setup(once((response) => answerWith(response, 200, '<html>'), 5));
    await write(s, 1);
    expect(countsOf(s).indexed).toBe(1);
    expect(s.cluster.requests).toHaveLength(6);
  });

  it.each<[string, (response: ServerResponse) => null]>([
    ['never answers', () => null],
    ['stalls in its answer', (response) => (response.write('{"items":['), null)],
    ['drips its answer', (response) => (setInterval(() => response.write(' '), 20).unref(), null)],
  ])('sends again when the cluster %s, after a cool-down of its bytes', async (_name, trouble) => {
    const s = await setup(once(trouble), { coolDownMs: 200, maxBytesInFlight: 64, timeoutMs: 150 });
    const began = performance.now();
    await write(s, 1);
    expect(performance.now() - began).toBeGreaterThanOrEqual(340);
    expect(storedIn(s, TARGET.write_alias)).toEqual(placesOf(TARGET.write_alias, 1));
  });

  it('waits while nobody listens, and goes on when somebody does', async () => {
    const gone = await startScriptedCluster(TARGET.index, storeAll);
    await gone.close();
    const s = await setup(storeAll, { url: gone.url });
    const written = write(s, 3);
    await expect.poll(() => s.writer.waiting).toBe(true);
    const back = await startScriptedCluster(TARGET.index, storeAll, Number(new URL(gone.url).port));
    await written;
    await back.close();
    expect([s.writer.waiting, countsOf(s).indexed, back.stored.size]).toEqual([false, 3, 3]);
  });

  it('loses no row and counts none twice, whatever the cluster does', async () => {
    const kinds = ['429', '503', 'reset', 'lost answer', '413', 'items', 'mismatch', 'refuse'] as const;
    const troubles = fc.array(fc.constantFrom(...kinds), { maxLength: 10 });
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(troubles, sizes, async (list, batches) => {
        const s = await setup((request, response) => play(list.pop(), request, response));
        const failure: unknown = await write(s, ...batches).catch((error: unknown) => error);
        expect([undefined, 'response_mismatch']).toContain((failure as TaskFailure | undefined)?.type);
        const { rowsRead, indexed, deadLetters } = countsOf(s);
        expect([indexed + deadLetters, Number(s.writer.settledThrough ?? 0n)]).toEqual([rowsRead, rowsRead]);
        const kept = new Set([...s.cluster.stored.keys()].map((place) => place.split('/')[1]));
        for (let key = 1; key <= rowsRead; key++) expect(kept).toContain(String(key));
      }),
      { numRuns: 12 },
    );
  });
});

function play(
  trouble: string | undefined,
  { ids, alias }: BulkRequest,
  response: ServerResponse,
): ItemAnswer[] | null {
  const isTarget = alias === TARGET.write_alias;
  const some = (divisor: number, answer: (id: string) => ItemAnswer): ItemAnswer[] =>
    ids.map((id) => (Number(id) % divisor === 0 ? answer(id) : null));
  if (trouble === '429' || trouble === '503') return answerWith(response, Number(trouble), '');
  if (trouble === '413' && ids.length > 1) return answerWith(response, 413, '');
  if (trouble === 'mismatch') return answerWith(response, 200, { items: [] });
  if (trouble === 'items') return some(2, (id) => failedItem(id, 429, 'rejected_execution_exception'));
  if (trouble === 'refuse' && isTarget) return some(5, (id) => failedItem(id, 400, 'odd'));
  if (trouble === 'reset') response.destroy();
  // The cluster stores it all, and nobody hears of it.
  if (trouble === 'lost answer') response.socket?.destroy();
  return trouble === 'reset' ? null : storeAll();
}
