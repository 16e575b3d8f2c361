import { connect } from 'node:net';
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

describe('a worker process that drains', () => {
  it('ends at once without a task, once its answer is sent, whoever is connected', async () => {
    const worker = await startWorker();
    const silent = connect(Number(new URL(await worker.process.listening()).port), '127.0.0.1');
    silent.on('error', () => undefined);
    await new Promise<void>((resolve) => silent.write('POST /drain HTTP/1.1\r\n', () => resolve()));
    expect(await worker.ask('POST', '/drain')).toEqual({
      status: 202,
      body: { draining: true, active_tasks: 0 },
    });
    expect(await endOf(worker)).toEqual([0, expect.stringContaining('drained: no task is left')]);
  });

  it('goes on with its task, takes no other, and ends when its end was asked for', async () => {
    const { worker, gate, target } = await drainingWorker();
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
    expect(await endOf(worker)).toEqual([
      0,
      expect.stringContaining('an orchestrator knows how each task ended'),
    ]);
  });

  it('ends when nobody asks how its task ended', async () => {
    const { worker, gate } = await drainingWorker({ REINDEX_WORKER_DRAIN_LINGER_MS: '100' });
    await gate.open();
    expect(await endOf(worker)).toEqual([
      0,
      expect.stringContaining('nobody asked how the last task ended for 100 ms'),
    ]);
    expect(worker.process.log.find(({ msg }) => msg === 'task completed')).toMatchObject({
      task: { rows_read: ROWS, error: null },
    });
  });

  it('ends when its task is cancelled', async () => {
    const { worker } = await drainingWorker();
    expect(await worker.ask('DELETE', '/task/task-1')).toMatchObject({
      status: 200,
      body: { active: false, error: { next: 'cancelled' } },
    });
    expect(await endOf(worker)).toEqual([0, expect.stringContaining('drained')]);
  });

  it('still ends by a signal', async () => {
    const { worker } = await drainingWorker();
    worker.process.child.kill('SIGTERM');
    expect(await endOf(worker)).toEqual([143, 'SIGTERM']);
  });
});
