import { describe, expect, it } from 'vitest';
import type { Key } from '../../definition/key/key-kind.ts';
import { addDeadLetter, addDocument, addFiltered } from '../support/batches.ts';
import { answerWith, failedItem, storeAll } from '../support/scripted-cluster.ts';
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

describe('the writer of a task', () => {
  it('writes only to the write alias, with require_alias, no pipeline and the credentials', async () => {
    const s = await setup(storeAll);
    await write(s, 3);
    const [request] = s.cluster.requests;
    expect(request?.alias).toBe(TARGET.write_alias);
    expect(Object.fromEntries(request?.query ?? [])).toMatchObject({
      require_alias: 'true',
      pipeline: '_none',
    });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      authorization: 'ApiKey x',
    });
    expect(request?.documents[0]).toBe('{"id":1,"name":"place 1"}');
    expect(countsOf(s)).toEqual({ rowsRead: 3, filtered: 0, indexed: 3, superseded: 0, deadLetters: 0 });
    expect(s.writer.settledThrough).toBe(3n);
    expect(s.writer.retries).toBe(0);
  });

  it('names the pipeline of the definition', async () => {
    const s = await setup(storeAll, { pipeline: 'geo & more' });
    await write(s, 1);
    expect(s.cluster.requests[0]?.query.get('pipeline')).toBe('geo & more');
  });

  it('settles in the order of keys even if bulks finish in another order', async () => {
    const gates: (() => void)[] = [];
    const s = await setup(async () => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return storeAll();
    });
    const written = write(s, 2, 2, 2);
    await expect.poll(() => gates.length).toBe(3);
    const order = s.cluster.requests.map((request) => request.ids[0]);
    gates[order.indexOf('5')]?.();
    await expect.poll(() => s.cluster.stored.size).toBe(2);
    expect([s.writer.settledThrough, countsOf(s).rowsRead]).toEqual([null, 0]);
    gates[order.indexOf('1')]?.();
    await expect.poll(() => s.writer.settledThrough).toBe(2n);
    gates[order.indexOf('3')]?.();
    await written;
    expect([s.writer.settledThrough, countsOf(s).indexed]).toEqual([6n, 6]);
  });

  it('counts filtered rows and writes dead letters before their rows settle', async () => {
    let settledAtWrite: Key | null | undefined;
    const s = await setup((request) => {
      if (request.alias === TARGET.dead_letter_alias) settledAtWrite = s.writer.settledThrough;
      return storeAll();
    });
    const stretch = await s.writer.acquire(s.end.signal);
    addDocument(stretch, 1n);
    addFiltered(stretch, 2n);
    addDeadLetter(stretch, 3n);
    s.writer.submit(stretch);
    await s.writer.finish(s.end.signal);
    expect(settledAtWrite).toBeNull();
    expect(s.writer.settledThrough).toBe(3n);
    expect(countsOf(s)).toEqual({ rowsRead: 3, filtered: 1, indexed: 1, superseded: 0, deadLetters: 1 });
    const letters = s.cluster.requests.find((request) => request.alias === TARGET.dead_letter_alias);
    expect(letters?.query.get('require_alias')).toBe('true');
    expect(letters?.documents).toEqual([
      '{"id":3,"type":"22P02","reason":"a value cannot be read","fields":null}',
    ]);
  });

  it('dead-letters what the cluster refuses, with the fields to keep', async () => {
    const s = await setup(
      (request) =>
        request.alias === TARGET.write_alias
          ? request.ids.map((id) =>
              id === '2' ? failedItem(id, 400, 'mapper_parsing_exception', 'no "long"') : null,
            )
          : storeAll(),
      { keepFields: ['name'] },
    );
    await write(s, 3);
    expect(countsOf(s)).toMatchObject({ indexed: 2, deadLetters: 1 });
    expect(s.cluster.requests.at(-1)?.documents.map((line) => JSON.parse(line))).toEqual([
      {
        id: 2,
        type: 'mapper_parsing_exception',
        reason: 'The document is refused: mapper_parsing_exception.',
        fields: { name: 'place 2' },
      },
    ]);
  });

  it('writes more dead letters than one request holds', async () => {
    const s = await setup((request) =>
      request.alias === TARGET.write_alias
        ? request.ids.map((id) => failedItem(id, 400, 'odd', 'y'.repeat(3_000)))
        : storeAll(),
    );
    await write(s, 900, 900);
    expect(countsOf(s)).toMatchObject({ rowsRead: 1_800, indexed: 0, deadLetters: 1_800 });
    expect(storedIn(s, TARGET.dead_letter_alias)).toEqual(placesOf(TARGET.dead_letter_alias, 1_800));
    expect(s.cluster.requests.length).toBeGreaterThan(3);
  });

  it('stops when a dead letter itself is refused', async () => {
    const s = await setup((request) => request.ids.map((id) => failedItem(id, 400, 'odd')));
    await expect(write(s, 1)).rejects.toMatchObject({ next: 'stop', type: 'dead_letter_refused' });
    expect(s.writer.settledThrough).toBeNull();
  });

  it('counts version conflicts as superseded only when versions are written', async () => {
    const conflict: Script = (request) =>
      request.alias === TARGET.write_alias
        ? request.ids.map((id) => failedItem(id, 409, 'version_conflict_engine_exception'))
        : storeAll();
    const versioned = await setup(conflict, { versioned: true });
    await write(versioned, 2);
    expect(countsOf(versioned)).toMatchObject({ superseded: 2, deadLetters: 0 });
    const plain = await setup(conflict);
    await write(plain, 2);
    expect(countsOf(plain)).toMatchObject({ superseded: 0, deadLetters: 2 });
  });

  it.each<[string, Script]>([
    ['waits', (_request, response) => answerWith(response, 503, '', { 'retry-after': '60' })],
    ['has requests under way', () => null],
  ])('ends at once when it is cancelled while it %s', async (_name, script) => {
    const s = await setup(script);
    const written = write(s, 2, 2, 2, 2, 2, 2);
    const ended = written.catch((error: unknown) => error);
    await expect.poll(() => s.cluster.requests.length).toBeGreaterThan(0);
    const began = performance.now();
    s.end.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
    await s.writer.abandon(s.end.signal.reason);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
