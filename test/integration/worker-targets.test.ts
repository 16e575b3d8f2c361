import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Gate } from '../support/run-gate.ts';
import { call } from '../support/search-calls.ts';
import {
  articles,
  type ArticlesWorker,
  type ArticleTargets,
  NEWER,
  type Outcomes,
  outcomesOf,
  ROWS,
  settledOf,
} from '../support/worker-articles.ts';

const NODES = [
  ['the development node', inject('developmentUrl')],
  ['OpenSearch', inject('searchUrl')],
] as const;

/** Workers stand before the rows behind this one. */
const GATE = 4_000;

describe.each(NODES)('a task for two indexes of %s', (_name, url) => {
  const searchUrl = url ?? '';
  const { startWorker, createTargets, createGate, countOf } = articles(searchUrl);

  async function shutGate(): Promise<Gate> {
    const gate = await createGate(GATE);
    onTestFinished(() => gate.close());
    await gate.shut();
    return gate;
  }

  /** Runs a task up to the gate, and gives what it has settled there. */
  async function upToGate(worker: ArticlesWorker, targets: ArticleTargets) {
    await worker.post(worker.task(targets));
    await expect
      .poll(async () => (await worker.status('task-1')).rows_read, { timeout: 50_000 })
      .toBeGreaterThan(1_000);
    return worker.status('task-1');
  }

  async function source(index: string, id: number): Promise<unknown> {
    return (await call(searchUrl, 'GET', `/${index}/_doc/${id}`)).body['_source'];
  }

  /** Both indexes and their companions hold what the table holds. */
  async function expectAll([all, shown]: ArticleTargets): Promise<void> {
    const { targets } = outcomesOf(ROWS);
    expect(await countOf(all.index)).toBe(targets[0]?.indexed);
    expect(await countOf(shown.index)).toBe((targets[1]?.indexed ?? 0) + 1);
    expect(await countOf(`${all.index}-dead-letters`)).toBe(targets[0]?.dead_letters);
    expect(await countOf(`${shown.index}-dead-letters`)).toBe(targets[1]?.dead_letters);
    expect(await source(shown.index, NEWER)).toEqual({ id: NEWER, title: 'newer' });
  }

  it.skipIf(url === null)('gives each index its rows and fields, and counts that add up', async () => {
    const worker = await startWorker();
    const targets = await createTargets();
    const [all, shown] = targets;
    const request = worker.task(targets);
    await worker.post(request);
    const status = await worker.finished(request.task_id);
    expect(status).toMatchObject({ error: null, progress: 100, settled_through: String(ROWS) });
    expect(status.targets.map(({ index }) => index)).toEqual([all.index, shown.index]);
    expect(settledOf(status)).toEqual(outcomesOf(ROWS));
    await expectAll(targets);

    // Refused by one mapping, taken by the other, which leaves the body out.
    expect(await source(all.index, 1_001)).toBeUndefined();
    expect(await source(shown.index, 1_001)).toEqual({ id: 1_001, title: 'article 1001', rank: 'first' });
    expect(await source(`${all.index}-dead-letters`, 1_001)).toMatchObject({ fields: { rank: 'first' } });
    // Broken while it is read: buried in both. Where nobody evaluates it, it breaks nothing.
    for (const { index } of targets)
      expect(await source(`${index}-dead-letters`, 778)).toMatchObject({ type: '22012' });
    expect(await source(shown.index, 770)).toEqual({ id: 770, title: 'article 770', rank: '770' });
  });

  it.skipIf(url === null)(
    'counts both exactly up to its cancellation, and another task completes them',
    async () => {
      const gate = await shutGate();
      const worker = await startWorker(gate);
      const targets = await createTargets();
      await upToGate(worker, targets);
      const { body } = await worker.ask('DELETE', '/task/task-1');
      expect(body).toMatchObject({ active: false, error: { next: 'cancelled' } });
      const cancelled = await worker.status('task-1');
      const through = Number(cancelled.settled_through);
      expect(settledOf(cancelled)).toEqual(outcomesOf(through));

      await gate.open();
      const rest = { task_id: 'task-2', attempt: 2, start_index: String(through + 1) };
      await worker.post(worker.task(targets, rest));
      expect(settledOf(await worker.finished('task-2'))).toEqual(outcomesOf(ROWS, through + 1));
      await expectAll(targets);
    },
  );

  it.skipIf(url === null)(
    'counts up to the last poll when its worker is killed, and another worker does the rest',
    async () => {
      const gate = await shutGate();
      const worker = await startWorker(gate);
      const targets = await createTargets();
      const polled = await upToGate(worker, targets);
      worker.process.child.kill('SIGKILL');
      await worker.process.exit;
      const through = Number(polled.settled_through);
      expect(settledOf(polled)).toEqual(outcomesOf(through));

      await gate.open();
      const other = await startWorker(gate);
      await other.post(other.task(targets, { attempt: 2, start_index: String(through + 1) }));
      const done = settledOf(await other.finished('task-1'));
      expect(sumOf(settledOf(polled), done)).toEqual(outcomesOf(ROWS));
      await expectAll(targets);
    },
  );

  it.skipIf(url === null)('ends for both indexes where its range is cut', async () => {
    const gate = await shutGate();
    const worker = await startWorker(gate);
    const targets = await createTargets();
    const { settled_through: through } = await upToGate(worker, targets);
    const patch = (end: string | null) => worker.ask('PATCH', '/task/task-1', { end_index: end });
    expect(await patch(through)).toMatchObject({ status: 409, body: { field: 'end_index' } });
    expect(await patch('5001')).toMatchObject({ status: 200, body: { end_index: '5001' } });
    await gate.open();
    const status = await worker.finished('task-1');
    expect(status).toMatchObject({ error: null, settled_through: '5000' });
    expect(settledOf(status)).toEqual(outcomesOf(5_000));
  });

  it.skipIf(url === null)('stops for both indexes at a write block on one', async () => {
    const worker = await startWorker();
    const targets = await createTargets();
    const [all, shown] = targets;
    await call(searchUrl, 'PUT', `/${shown.index}/_block/write`);
    await worker.post(worker.task(targets));
    const status = await worker.finished('task-1');
    expect(status.error).toMatchObject({
      next: 'stop',
      type: 'cluster_block_exception',
      message: expect.stringContaining(shown.write_alias),
    });
    expect(settledOf(status)).toEqual(outcomesOf(Number(status.settled_through ?? 0)));
    expect(await countOf(shown.index)).toBe(1);
    expect(await countOf(all.index)).toBeGreaterThanOrEqual(0);
  });

  it.skipIf(url === null)('stops when the types of one definition differ from the plan', async () => {
    const worker = await startWorker();
    const targets = await createTargets();
    const request = worker.task(targets);
    const [first, second] = request.targets;
    if (first === undefined || second === undefined) throw new Error('two targets');
    const digest = `${worker.digests.shown.split('.')[0]}.${'0'.repeat(32)}`;
    await worker.post({ ...request, targets: [first, { ...second, definition_digest: digest }] });
    expect((await worker.finished('task-1')).error).toMatchObject({
      next: 'stop',
      type: 'columns_changed',
      message: expect.stringContaining('"shown"'),
    });
    expect(await countOf(targets[0].index)).toBe(0);
  });
});

function sumOf(a: Outcomes, b: Outcomes): Outcomes {
  return {
    rows_read: a.rows_read + b.rows_read,
    filtered: a.filtered + b.filtered,
    targets: a.targets.map((counts, i) => ({
      indexed: counts.indexed + (b.targets[i]?.indexed ?? 0),
      superseded: counts.superseded + (b.targets[i]?.superseded ?? 0),
      filtered: counts.filtered + (b.targets[i]?.filtered ?? 0),
      dead_letters: counts.dead_letters + (b.targets[i]?.dead_letters ?? 0),
    })),
  };
}
