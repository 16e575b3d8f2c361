import { describe, expect, inject, it } from 'vitest';
import { call } from '../support/search-calls.ts';
import { FILTERED, keyOf, places, REFUSED, ROWS } from '../support/worker-places.ts';

const NODES = [
  ['the development node', inject('developmentUrl')],
  ['OpenSearch', inject('searchUrl')],
] as const;

describe.each(NODES)('a task on %s', (_name, url) => {
  const searchUrl = url ?? '';
  const { startWorker, createTarget, countOf } = places(searchUrl);

  it.skipIf(url === null)('ends with every row indexed, filtered or dead-lettered', async () => {
    const worker = await startWorker();
    const target = await createTarget();
    const request = worker.task(target);
    await worker.post(request);
    expect(await worker.finished(request.task_id)).toMatchObject({
      error: null,
      progress: 100,
      rows_read: ROWS,
      filtered: FILTERED,
      targets: [{ indexed: ROWS - FILTERED - REFUSED, superseded: 0, dead_letters: REFUSED }],
      settled_through: String(keyOf(ROWS)),
    });
    expect(await countOf(target.index)).toBe(ROWS - FILTERED - REFUSED);
    expect(await countOf(`${target.index}-dead-letters`)).toBe(REFUSED);
    const letter = await call(searchUrl, 'GET', `/${target.index}-dead-letters/_doc/${keyOf(1)}`);
    expect(letter.body['_source']).toMatchObject({
      id: keyOf(1),
      type: expect.any(String),
      fields: { rank: 'first' },
    });
  });

  it.skipIf(url === null)('reads exactly its range, and reading it again does no harm', async () => {
    const worker = await startWorker();
    const target = await createTarget();
    for (const attempt of [1, 2]) {
      const range = { start_index: '-14', end_index: '7' };
      const request = worker.task(target, { ...range, task_id: `task-${attempt}`, attempt });
      await worker.post(request);
      expect(await worker.finished(request.task_id)).toMatchObject({
        rows_read: 3,
        filtered: 1,
        targets: [{ indexed: 2 }],
        settled_through: '0',
      });
    }
    expect(await countOf(target.index)).toBe(2);
  });

  it.skipIf(url === null)(
    'stops with the cluster’s words at a write block, and at an alias that is gone',
    async () => {
      const worker = await startWorker();
      const target = await createTarget();
      await call(searchUrl, 'PUT', `/${target.index}/_block/write`);
      await worker.post(worker.task(target, { task_id: 'blocked' }));
      expect((await worker.finished('blocked')).error).toMatchObject({
        next: 'stop',
        type: 'cluster_block_exception',
      });
      const remove = { index: target.index, alias: target.write_alias };
      await call(searchUrl, 'POST', '/_aliases', { actions: [{ remove }] });
      await worker.post(worker.task(target, { task_id: 'gone' }));
      expect((await worker.finished('gone')).error).toMatchObject({
        next: 'stop',
        type: 'index_not_found_exception',
      });
      expect(await countOf(target.index)).toBe(0);
    },
  );
});
