import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createWorkerInstance } from '../aws/worker-instances.ts';
import { eventually } from '../support/run-eventually.ts';
import { keyOf, places, ROWS } from '../support/worker-places.ts';

const awsUrl = inject('awsUrl');
const { startWorker, createTarget, createGate } = places(inject('developmentUrl'));
const GATE = 8_000;

/** On an instance: a worker whose first task stands before the gate, while the second waits. */
async function busyWorker() {
  const instance = await createWorkerInstance(awsUrl ?? '');
  const gate = await createGate(GATE);
  onTestFinished(() => gate.close());
  await gate.shut();
  const environment = { ...instance.environment, REINDEX_WORKER_NOTICE_INTERVAL_MS: '100' };
  const worker = await startWorker({ id: instance.id, gate, environment });
  const target = await createTarget();
  await worker.post(worker.task(target));
  await worker.post(worker.task(target, { task_id: 'task-2', range_id: 'range-2' }));
  await expect
    .poll(async () => (await worker.status('task-1')).settled_through, { timeout: 50_000 })
    .not.toBeNull();
  const isDraining = async (): Promise<boolean> =>
    ((await worker.ask('GET', '/healthcheck')).body as { draining: boolean }).draining;
  expect(await isDraining()).toBe(false);
  const drains = () => eventually('it drains', isDraining);
  return { instance, worker, gate, target, drains };
}

describe.skipIf(awsUrl === null)('a worker whose instance will be taken away', () => {
  it('hands back its waiting task at once, finishes its running task, and is replaced when its end is known', async () => {
    const { instance, worker, gate, target, drains } = await busyWorker();
    instance.metadata.interrupt({ action: 'terminate', time: new Date(Date.now() + 3_600_000) });
    await drains();
    expect(await worker.finished('task-2')).toMatchObject({
      settled_through: null,
      error: { next: 'cancelled', message: expect.stringContaining('interrupts this Spot instance') },
    });
    const third = worker.task(target, { task_id: 'task-3', range_id: 'range-3' });
    expect(await worker.ask('POST', '/reindexing_task', third)).toMatchObject({ status: 503 });
    expect(await worker.status('task-1')).toMatchObject({ active: true });

    await gate.open();
    expect(await worker.finished('task-1')).toMatchObject({
      error: null,
      settled_through: String(keyOf(ROWS)),
    });
    expect(await worker.process.exit).toBe(0);
    expect([instance.terminations(), await instance.desired()]).toEqual([[false], 1]);
    expect(await instance.state()).toBe('terminated');
  });

  it('hands back its running task in time, with what is settled', async () => {
    const { instance, worker } = await busyWorker();
    const { settled_through: settled } = await worker.status('task-1');
    instance.metadata.interrupt({ action: 'terminate', time: new Date(Date.now() + 15_000) });
    const final = await worker.finished('task-1');
    expect(final).toMatchObject({ error: { next: 'cancelled' } });
    expect(Number(final.settled_through)).toBeGreaterThanOrEqual(Number(settled));
    expect(await worker.finished('task-2')).toMatchObject({ error: { next: 'cancelled' } });
    expect(await worker.process.exit).toBe(0);
    expect(instance.terminations()).toEqual([false]);
  });

  it('drains when AWS recommends a rebalance, and keeps its tasks', async () => {
    const { instance, worker, gate, drains } = await busyWorker();
    instance.metadata.recommendRebalance(new Date());
    await drains();
    await gate.open();
    expect(await worker.finished('task-1')).toMatchObject({ error: null });
    expect(await worker.finished('task-2')).toMatchObject({ error: null });
    expect(await worker.process.exit).toBe(0);
    expect([instance.terminations(), await instance.desired()]).toEqual([[false], 1]);
  });

  it('sees notices even after its token has expired', async () => {
    const { instance, worker, drains } = await busyWorker();
    instance.metadata.expireTokens();
    instance.metadata.recommendRebalance(new Date());
    await drains();
    worker.process.child.kill('SIGTERM');
    expect([await worker.process.exit, instance.terminations()]).toEqual([143, []]);
  });
});
