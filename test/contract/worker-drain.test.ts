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

describe('POST /drain', () => {
  it('says how many tasks go on, however often it is asked for, and the health check says it too', async () => {
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

  it('lets a worker without tasks end at once, answers and all', async () => {
    const s = await serve();
    expect((await call(s, 'POST', '/drain')).body).toEqual({ draining: true, active_tasks: 0 });
    expect(s.drained).toContain('no task is left');
  });

  it('is for the run that the worker works for, at the epoch of its lock, and for no person', async () => {
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

describe('a worker that drains', () => {
  it('refuses new tasks with 503, and takes those that it knows again, also when they are over', async () => {
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

  it('still answers what is wrong with a task before it says that it drains', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await call(s, 'POST', '/drain');
    expect((await post(s, { ...second, end_index: 5 })).status).toBe(400);
    expect((await post(s, taskRequest({ end_index: '50' }))).status).toBe(409);
  });

  it('is drained when an orchestrator, not a person, was told how each task ended', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await call(s, 'POST', '/drain');
    await call(s, 'GET', '/task/task-1');
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    await call(s, 'GET', '/task/task-1', {});
    await call(s, 'GET', '/task', {});
    expect(s.drained).toBeNull();
    expect((await call(s, 'GET', '/task/task-1')).body).toMatchObject({ active: false, progress: 100 });
    expect(s.drained).toContain('an orchestrator knows how each task ended');
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
    expect(s.drained).toBeNull();
    expect((await call(s, 'DELETE', '/task/task-2')).body).toMatchObject({ error: { next: 'cancelled' } });
    expect(s.drained).toContain('an orchestrator knows how each task ended');
  });

  it('waits for nobody who does not ask', async () => {
    const s = await serve({ lingerMs: 50 });
    await post(s, taskRequest());
    await call(s, 'POST', '/drain');
    s.runs[0]?.complete();
    await expect.poll(() => s.drained).toContain('nobody asked');
  });
});
