import { describe, expect, it } from 'vitest';
import { drainAcceptedSchema, healthSchema } from '../../worker/contract.ts';
import {
  call,
  HOLDER,
  post,
  send,
  taskRequest,
  testServices,
  type TestService,
} from '../support/worker-service.ts';

const serve = testServices();
const second = taskRequest({ task_id: 'task-2', range_id: 'range-2' });

async function isDraining(s: TestService): Promise<boolean> {
  return healthSchema.parse((await call(s, 'GET', '/healthcheck', {})).body).draining;
}

describe('the call POST /drain', () => {
  it('tells how many tasks go on, every time it is made, and the health check tells that the worker drains', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(s, second);
    expect(await isDraining(s)).toBe(false);
    for (const expected of [2, 2]) {
      const { status, body } = await call(s, 'POST', '/drain');
      expect([status, drainAcceptedSchema.parse(body)]).toEqual([
        202,
        { draining: true, active_tasks: expected },
      ]);
    }
    expect(await isDraining(s)).toBe(true);
    s.runs[0]?.complete();
    await expect.poll(() => s.runs.length).toBe(2);
    expect((await call(s, 'POST', '/drain')).body).toEqual({ draining: true, active_tasks: 1 });
  });

  it('lets the worker answer until its orchestrator ends it, with or without tasks', async () => {
    const s = await serve({ lingerMs: 0 });
    expect((await call(s, 'POST', '/drain')).body).toEqual({ draining: true, active_tasks: 0 });
    const other = await serve({ lingerMs: 0 });
    await post(other, taskRequest());
    await call(other, 'POST', '/drain');
    other.runs[0]?.complete();
    await expect.poll(() => other.tasks.activeRun).toBeNull();
    expect((await call(other, 'GET', '/task/task-1')).body).toMatchObject({ active: false, progress: 100 });
    for (const drained of [s, other]) {
      expect(await isDraining(drained)).toBe(true);
      expect(drained.drained).toBeNull();
    }
  });

  it('does not keep a worker that ends by itself, asked before its machine is taken back or after', async () => {
    const s = await serve();
    await call(s, 'POST', '/drain');
    s.draining.begin();
    expect(s.drained).toContain('no task is left');
    const other = await serve();
    await post(other, taskRequest());
    other.draining.begin();
    await call(other, 'POST', '/drain');
    await call(other, 'DELETE', '/task/task-1');
    expect(other.drained).toContain('no task is left');
  });

  it('is only for the run that the worker works for, at the epoch of its lock', async () => {
    const s = await serve();
    await post(s, taskRequest());
    expect(await call(s, 'POST', '/drain', {})).toMatchObject({
      status: 400,
      body: { field: 'Reindex-Run' },
    });
    expect((await call(s, 'POST', '/drain', { ...HOLDER, 'Reindex-Epoch': '2' })).status).toBe(409);
    expect((await call(s, 'POST', '/drain', { 'Reindex-Run': 'run-2', 'Reindex-Epoch': '9' })).status).toBe(
      409,
    );
    expect(await isDraining(s)).toBe(false);
  });
});

describe('a worker that is told to drain', () => {
  it('refuses new tasks with 503, and accepts a known task again even when it is over', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await call(s, 'POST', '/drain');
    expect(await post(s, second)).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('drains') },
    });
    expect((await post(s, taskRequest())).status).toBe(202);
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    expect((await post(s, taskRequest())).status).toBe(202);
    expect(s.runs).toHaveLength(1);
  });

  it('says what is wrong with a task before it says that it drains', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await call(s, 'POST', '/drain');
    expect((await post(s, { ...second, end_index: 5 })).status).toBe(400);
    expect((await post(s, taskRequest({ end_index: '50' }))).status).toBe(409);
  });

  it('lets its tasks be cancelled, and their ends be moved', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(s, second);
    await call(s, 'POST', '/drain');
    const lowered = await send(s, '/task/task-2', { method: 'PATCH', body: '{"end_index":"7"}' });
    expect(lowered.status).toBe(200);
    expect((await call(s, 'DELETE', '/task/task-1')).body).toMatchObject({ error: { next: 'cancelled' } });
    expect(s.runs.map(({ request }) => request.end_index)).toEqual(['100', '7']);
    expect((await call(s, 'DELETE', '/task/task-2')).body).toMatchObject({ error: { next: 'cancelled' } });
  });
});

describe('a worker that drains before its machine is taken back', () => {
  it('is drained when an orchestrator, not a person, was told how each task ended', async () => {
    const s = await serve();
    await post(s, taskRequest());
    s.draining.begin();
    await call(s, 'GET', '/task/task-1');
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    await call(s, 'GET', '/task/task-1', {});
    await call(s, 'GET', '/task', {});
    expect(s.drained).toBeNull();
    expect((await call(s, 'GET', '/task/task-1')).body).toMatchObject({ active: false, progress: 100 });
    expect(s.drained).toContain('an orchestrator knows how each task ended');
  });

  it('is drained when its tasks were cancelled, because the answers say how they ended', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(s, second);
    s.draining.begin();
    await call(s, 'DELETE', '/task/task-1');
    expect(s.drained).toBeNull();
    await call(s, 'DELETE', '/task/task-2');
    expect(s.drained).toContain('an orchestrator knows how each task ended');
  });

  it('ends after its linger time when nobody asks how its tasks ended', async () => {
    const s = await serve({ lingerMs: 50 });
    await post(s, taskRequest());
    s.draining.begin();
    s.runs[0]?.complete();
    await expect.poll(() => s.drained).toContain('nobody asked');
  });
});
