import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { keyOf, places, type PlacesWorker, ROWS } from '../support/worker-places.ts';

const { startWorker, createTarget, createGate } = places(inject('developmentUrl'));
const GATE = 8_000;

/** Why the worker's process ended, by its own word, with its exit code. */
async function endOf({ process }: PlacesWorker): Promise<[number | null, unknown]> {
  const code = await process.exit;
  return [code, process.log.find(({ msg }) => msg === 'stopping')?.why];
}

/** A worker that drains while its task stands before the gate. */
async function drainingWorker(environment: NodeJS.ProcessEnv = {}) {
  const gate = await createGate(GATE);
  onTestFinished(() => gate.close());
  await gate.shut();
  const worker = await startWorker({ gate, environment });
  const target = await createTarget();
  await worker.post(worker.task(target));
  await expect
    .poll(async () => (await worker.status('task-1')).rows_read, { timeout: 50_000 })
    .toBeGreaterThan(0);
  const answer = await worker.ask('POST', '/drain');
  expect(answer).toEqual({ status: 202, body: { draining: true, active_tasks: 1 } });
  return { worker, gate, target };
}

describe('a worker process that is told to drain', () => {
  it('answers on without a task, and ends when nobody has called for a lease', async () => {
    const worker = await startWorker({ environment: { REINDEX_WORKER_LEASE_MS: '3000' } });
    expect(await worker.ask('POST', '/drain')).toEqual({
      status: 202,
      body: { draining: true, active_tasks: 0 },
    });
    expect((await worker.ask('GET', '/healthcheck')).body).toMatchObject({ draining: true });
    expect(await endOf(worker)).toEqual([0, expect.stringContaining('the lease is over')]);
  });

  it('goes on with its task, takes no other, and answers on when its end was asked for', async () => {
    const { worker, gate, target } = await drainingWorker({ REINDEX_WORKER_DRAIN_LINGER_MS: '0' });
    expect((await worker.ask('GET', '/healthcheck')).body).toMatchObject({ draining: true });
    const other = worker.task(target, { task_id: 'task-2', range_id: 'range-2' });
    expect(await worker.ask('POST', '/reindexing_task', other)).toMatchObject({ status: 503 });
    await worker.post(worker.task(target));
    await gate.open();
    expect(await worker.finished('task-1')).toMatchObject({
      error: null,
      rows_read: ROWS,
      settled_through: String(keyOf(ROWS)),
    });
    expect(await worker.ask('POST', '/drain')).toMatchObject({ body: { active_tasks: 0 } });
    expect(await worker.ask('GET', '/alive')).toEqual({ status: 200, body: { status: 'alive' } });
  });

  it('answers on when its task is cancelled, with the final counts', async () => {
    const { worker } = await drainingWorker();
    const final = await worker.ask('DELETE', '/task/task-1');
    expect(final).toMatchObject({ status: 200, body: { active: false, error: { next: 'cancelled' } } });
    expect(await worker.ask('GET', '/task/task-1')).toEqual(final);
  });

  it('still ends by a signal, at once', async () => {
    const { worker } = await drainingWorker();
    worker.process.child.kill('SIGTERM');
    expect(await endOf(worker)).toEqual([143, 'SIGTERM']);
  });
});
