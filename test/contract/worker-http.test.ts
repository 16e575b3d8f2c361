import { describe, expect, it } from 'vitest';
import { healthSchema, taskAcceptedSchema, taskListSchema, taskStatusSchema } from '../../worker/contract.ts';
import { TaskFailure } from '../../worker/task-failure.ts';
import { call, post, taskRequest, testServices } from '../support/worker-service.ts';

const serve = testServices();

describe('the call GET /healthcheck', () => {
  it('answers 200 when ready, and 503 with the names of what cannot be reached when not', async () => {
    const s = await serve();
    const ready = await call(s, 'GET', '/healthcheck', {});
    expect([ready.status, ready.body]).toEqual([
      200,
      { status: 'ok', build: 'build-1', worker_id: 'worker-1', draining: false },
    ]);
    s.unreachable = ['database', 'cluster'];
    const unready = await call(s, 'GET', '/healthcheck', {});
    expect([unready.status, healthSchema.parse(unready.body)]).toEqual([
      503,
      { ...ready.body, status: 'unavailable', unreachable: ['database', 'cluster'] },
    ]);
  });
});

describe('the call GET /alive', () => {
  it('answers 200 whatever the worker can reach and whether or not its lease is over', async () => {
    const s = await serve();
    s.unreachable = ['database', 'cluster'];
    s.leased = false;
    const { status, body } = await call(s, 'GET', '/alive');
    expect([status, body, s.probes, s.renewals]).toEqual([200, { status: 'alive' }, 0, 0]);
  });
});

describe('the call POST /reindexing_task', () => {
  it('accepts a task and says where its status is', async () => {
    const s = await serve();
    const answer = await post(s, taskRequest());
    expect(answer.status).toBe(202);
    expect(taskAcceptedSchema.parse(answer.body)).toMatchObject({
      task_id: 'task-1',
      status_check: '/task/task-1',
    });
    expect(s.runs.map((run) => run.request)).toEqual([taskRequest()]);
  });

  it('accepts the same task again without a second run, in any order of its fields', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const reversed = Object.fromEntries(Object.entries(taskRequest()).reverse());
    expect((await post(s, reversed)).status).toBe(202);
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    expect((await post(s, taskRequest())).status).toBe(202);
    expect(s.runs).toHaveLength(1);
  });

  it('answers 409 to the same id with another body', async () => {
    const s = await serve();
    await post(s, taskRequest());
    expect(await post(s, taskRequest({ end_index: '101' }))).toMatchObject({
      status: 409,
      body: { field: 'task_id' },
    });
  });

  it('answers 409 to a lower attempt of a range than seen, and accepts an equal or higher one', async () => {
    const s = await serve();
    await post(s, taskRequest({ attempt: 2 }));
    expect(await post(s, taskRequest({ task_id: 'late', attempt: 1 }))).toMatchObject({
      status: 409,
      body: { field: 'attempt' },
    });
    expect((await post(s, taskRequest({ task_id: 'next', attempt: 3 }))).status).toBe(202);
  });

  it.each([
    ['another worker', { worker_id: 'worker-2' }, 409, 'worker_id'],
    [
      'another definition digest',
      { definition_digest: `${'c'.repeat(32)}.${'b'.repeat(32)}` },
      409,
      'definition_digest',
    ],
    ['an unknown definition', { definition: 'villages' }, 404, 'definition'],
    ['a run other than the header says', { run: 'run-2' }, 400, 'run'],
  ])('refuses a task for %s', async (_name, changes, status, field) => {
    const s = await serve();
    expect(await post(s, taskRequest(changes))).toMatchObject({ status, body: { field } });
    expect(s.runs).toHaveLength(0);
  });

  it('runs one task, lets one wait, and answers a third with 429 and Retry-After', async () => {
    const s = await serve();
    await post(s, taskRequest());
    expect((await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }))).status).toBe(202);
    const third = await post(s, taskRequest({ task_id: 'task-3', range_id: 'range-3', attempt: 9 }));
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '1']);
    expect(s.runs).toHaveLength(1);
    s.runs[0]?.complete();
    await expect.poll(() => s.runs.length).toBe(2);
    // The refusal left no trace: the third is accepted now, with any attempt.
    expect((await post(s, taskRequest({ task_id: 'task-3', range_id: 'range-3' }))).status).toBe(202);
  });

  it('requires the headers of an orchestrator', async () => {
    const s = await serve();
    expect(await post(s, taskRequest(), {})).toMatchObject({ status: 400, body: { field: 'Reindex-Run' } });
  });
});

describe('the calls GET /task/{task_id} and GET /task', () => {
  it('show a task from its beginning to its end', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const [run] = s.runs;
    if (run === undefined) throw new Error('no run');
    const target = { indexed: 40, superseded: 5, filtered: 1, deadLetters: 4 };
    const counts = { rowsRead: 50, filtered: 1, targets: [target] };
    run.figures = {
      settledThrough: 49n,
      firstKey: 0n,
      counts,
      bytesSent: 9_000,
      retries: 2,
      waitingFor: 'cluster',
      waitingReason: 'a queue is full (key 7)',
    };
    const status = taskStatusSchema.parse((await call(s, 'GET', '/task/task-1')).body);
    expect(status).toEqual({
      task_id: 'task-1',
      active: true,
      attempt: 1,
      end_index: '100',
      progress: 50,
      settled_through: '49',
      rows_read: 50,
      filtered: 1,
      targets: [{ index: 'cities-1', indexed: 40, superseded: 5, filtered: 1, dead_letters: 4 }],
      bytes_sent: 9_000,
      retries: 2,
      waiting_for: 'cluster',
      waiting_reason: 'a queue is full (key 7)',
      start_time: '2026-01-01T00:00:00.000Z',
      finish_time: null,
      error: null,
    });
    run.complete();
    await expect.poll(() => s.tasks.status('task-1').active).toBe(false);
    const final = (await call(s, 'GET', '/task/task-1')).body;
    expect(final).toEqual({
      ...status,
      waiting_reason: null,
      active: false,
      progress: 100,
      waiting_for: null,
      finish_time: '2026-01-01T00:00:00.000Z',
    });
  });

  it('report a known failure as it is, and an unforeseen one as worth another try', async () => {
    const s = await serve();
    await post(s, taskRequest());
    s.runs[0]?.fail(new TaskFailure('stop', 'columns_changed', 'the type of name changed'));
    await expect
      .poll(() => s.tasks.status('task-1').error)
      .toEqual({ next: 'stop', type: 'columns_changed', message: 'the type of name changed' });
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    s.runs[1]?.fail(new RangeError('oh'));
    await expect
      .poll(() => s.tasks.status('task-2').error)
      .toMatchObject({ next: 'retry', type: 'internal', message: expect.stringContaining('oh') });
  });

  it('list the newest task first, and answer a person without headers', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    const list = await call(s, 'GET', '/task', {});
    expect(taskListSchema.parse(list.body).tasks.map((task) => task.task_id)).toEqual(['task-2', 'task-1']);
    expect(s.renewals).toBe(2);
  });

  it('answer 404 for an unknown task', async () => {
    const s = await serve();
    expect((await call(s, 'GET', '/task/none')).status).toBe(404);
  });
});

describe('the call DELETE /task/{task_id}', () => {
  it('cancels the running task, returns its final counts, and goes on with the next', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    const [run] = s.runs;
    if (run !== undefined) run.figures = { ...run.figures, settledThrough: 9n };
    const { status, body } = await call(s, 'DELETE', '/task/task-1');
    expect(status).toBe(200);
    expect(taskStatusSchema.parse(body)).toMatchObject({
      active: false,
      settled_through: '9',
      progress: 10,
      error: { next: 'cancelled' },
    });
    expect(s.runs.map(({ request, signal }) => [request.task_id, signal.aborted])).toEqual([
      ['task-1', true],
      ['task-2', false],
    ]);
    expect((await call(s, 'DELETE', '/task/task-1')).body).toEqual(body);
  });

  it('cancels a waiting task without disturbing the running one', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    expect((await call(s, 'DELETE', '/task/task-2')).body).toMatchObject({
      active: false,
      error: { next: 'cancelled' },
    });
    expect(s.tasks.status('task-1').active).toBe(true);
    expect((await post(s, taskRequest({ task_id: 'task-3', range_id: 'range-3' }))).status).toBe(202);
  });

  it('requires the headers of an orchestrator, and answers 404 for an unknown task', async () => {
    const s = await serve();
    expect(await call(s, 'DELETE', '/task/task-1', {})).toMatchObject({
      status: 400,
      body: { field: 'Reindex-Run' },
    });
    expect((await call(s, 'DELETE', '/task/task-1')).status).toBe(404);
  });
});
