import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type TaskStatus, taskStatusSchema } from '../../worker/contract.ts';
import {
  type Answer,
  call,
  HOLDER,
  post,
  send,
  taskRequest,
  testServices,
  type TestService,
} from '../support/worker-service.ts';

const serve = testServices();
const SMALLEST = '-9223372036854775808';
const LARGEST = '9223372036854775807';

function patch(
  s: TestService,
  end: unknown,
  { task = 'task-1', headers = HOLDER }: { task?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const body = typeof end === 'string' ? JSON.stringify({ end_index: end }) : JSON.stringify(end);
  return send(s, `/task/${task}`, { method: 'PATCH', headers, body });
}

async function patched(s: TestService, end: string): Promise<TaskStatus> {
  const { status, body } = await patch(s, end);
  expect([status, body.error]).toEqual([200, null]);
  return taskStatusSchema.parse(body);
}

async function refused(s: TestService, end: string, task = 'task-1'): Promise<void> {
  const before = s.tasks.status(task);
  const { status, body } = await patch(s, end, { task });
  expect([status, body]).toEqual([409, { error: expect.stringMatching(/^[A-Z].+\.$/), field: 'end_index' }]);
  expect(s.tasks.status(task)).toEqual(before);
}

describe('the call PATCH /task/{task_id}', () => {
  it('moves the end of the running task down repeatedly, and progress is measured against it', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const [run] = s.runs;
    if (run === undefined) throw new Error('no run');
    run.figures = { ...run.figures, settledThrough: 19n };
    run.lastKey = 29n;
    expect(await patched(s, '80')).toMatchObject({ end_index: '80', progress: 25, settled_through: '19' });
    expect(await patched(s, '40')).toMatchObject({ end_index: '40', progress: 50, active: true });
    expect(run.ends).toEqual([80n, 40n]);
    run.complete();
    await expect.poll(() => s.tasks.status('task-1').active).toBe(false);
    expect(s.tasks.status('task-1')).toMatchObject({ end_index: '40', progress: 100, error: null });
  });

  it('moves the end of a waiting task, which then begins with it', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await post(
      s,
      taskRequest({ task_id: 'task-2', range_id: 'range-2', start_index: '100', end_index: null }),
    );
    expect((await patch(s, '150', { task: 'task-2' })).body).toMatchObject({
      active: true,
      end_index: '150',
    });
    await refused(s, '100', 'task-2');
    s.runs[0]?.complete();
    await expect.poll(() => s.runs.length).toBe(2);
    expect(s.runs[1]?.request).toMatchObject({ start_index: '100', end_index: '150' });
  });

  it('answers 200 to the present end, whether it was moved or not, and also when the task is over', async () => {
    const s = await serve();
    await post(s, taskRequest());
    expect(await patched(s, '100')).toMatchObject({ end_index: '100' });
    await patched(s, '60');
    expect(await patched(s, '60')).toMatchObject({ end_index: '60' });
    expect(s.runs[0]?.ends).toEqual([60n]);
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.status('task-1').active).toBe(false);
    expect(await patched(s, '60')).toMatchObject({ active: false, end_index: '60' });
  });

  it('answers 409 to an end that reading has passed, and changes nothing', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const [run] = s.runs;
    if (run !== undefined) run.lastKey = 50n;
    await refused(s, '49');
    await refused(s, '50');
    expect(run?.ends).toEqual([]);
    await patched(s, '51');
  });

  it('answers 409 to an end above the present one, and to an end that leaves no key', async () => {
    const s = await serve();
    await post(s, taskRequest({ start_index: '-5' }));
    for (const end of ['101', LARGEST, '-5', '-6', SMALLEST]) await refused(s, end);
    await patched(s, '50');
    await refused(s, '51');
    await refused(s, '100');
    await patched(s, '-4');
    expect(s.runs[0]?.ends).toEqual([50n, -4n]);
  });

  it('accepts keys at both ends of bigint', async () => {
    const s = await serve();
    await post(s, taskRequest({ start_index: null, end_index: null }));
    await refused(s, SMALLEST);
    expect(await patched(s, LARGEST)).toMatchObject({ end_index: LARGEST });
    expect(await patched(s, '-9223372036854775807')).toMatchObject({ end_index: '-9223372036854775807' });
    await refused(s, SMALLEST);
  });

  it('answers 409 when the task is over, completed or cancelled', async () => {
    const s = await serve();
    await post(s, taskRequest());
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    await refused(s, '50');
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    await call(s, 'DELETE', '/task/task-2');
    await refused(s, '50', 'task-2');
  });

  it('leaves the task the same for a caller who posts it again', async () => {
    const s = await serve();
    await post(s, taskRequest());
    await patched(s, '50');
    expect((await post(s, taskRequest())).status).toBe(202);
    expect((await post(s, taskRequest({ end_index: '50' }))).status).toBe(409);
    expect([s.runs.length, s.tasks.status('task-1').end_index]).toEqual([1, '50']);
  });
});

describe('the caller of PATCH /task/{task_id}', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a number as end', { end_index: 5 }, 'end_index'],
    ['null as end', { end_index: null }, 'end_index'],
    ['no end', {}, 'end_index'],
    ['SQL as end', { end_index: '5; DROP TABLE x' }, 'end_index'],
    ['a key that is not canonical', { end_index: '+5' }, 'end_index'],
    ['a key beyond bigint', { end_index: '9223372036854775808' }, 'end_index'],
    ['a fraction as end', { end_index: '5.5' }, 'end_index'],
    ['an unknown field', { end_index: '50', start_index: '0' }, 'start_index'],
    ['a list as body', ['50'], undefined],
  ])('is answered 400 with the field that is wrong: %s', async (_name, body, field) => {
    const s = await serve();
    await post(s, taskRequest());
    const answer = await patch(s, body);
    expect([answer.status, answer.body.field]).toEqual([400, field]);
    expect(s.tasks.status('task-1').end_index).toBe('100');
  });

  it('must hold the lock of the worker’s run, and must not be a person', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const nobody = await send(s, '/task/task-1', {
      method: 'PATCH',
      headers: {},
      body: '{"end_index":"50"}',
    });
    expect(nobody).toMatchObject({ status: 400, body: { field: 'Reindex-Run' } });
    expect((await patch(s, '50', { headers: { ...HOLDER, 'Reindex-Epoch': '2' } })).status).toBe(409);
    expect((await patch(s, '50', { headers: { ...HOLDER, 'Reindex-Run': 'run-2' } })).status).toBe(409);
    expect(s.tasks.status('task-1').end_index).toBe('100');
  });

  it('is answered 404 for an unknown task, and 415 for a body that is not JSON', async () => {
    const s = await serve();
    expect((await patch(s, '50', { task: 'none' })).status).toBe(404);
    expect((await patch(s, '50', { headers: { ...HOLDER, 'content-type': 'text/plain' } })).status).toBe(415);
  });

  it.each([
    ['PATCH /task/task-1', JSON.stringify({ end_index: '50' })],
    ['POST /reindexing_task', JSON.stringify(taskRequest({ task_id: 'task-2', range_id: 'range-2' }))],
  ])('is refused when the lock is taken over before the body arrives: %s', async (call_, body) => {
    const s = await serve();
    await post(s, taskRequest());
    const { renewals } = s;
    const head = `${call_} HTTP/1.1\r\nHost: x\r\nReindex-Run: run-1\r\nReindex-Epoch: 3\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect(Number(new URL(s.url).port), '127.0.0.1');
    const answer = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString())).on('close', () => resolve(text));
    });
    socket.write(head + body.slice(0, 5));
    await expect.poll(() => s.renewals).toBe(renewals + 1);
    expect((await call(s, 'GET', '/task/task-1', { ...HOLDER, 'Reindex-Epoch': '4' })).status).toBe(200);
    socket.write(body.slice(5));
    expect(await answer).toMatch(/^HTTP\/1.1 409 .*epoch 4/s);
    expect(s.tasks.list().map((task) => [task.task_id, task.end_index])).toEqual([['task-1', '100']]);
  });
});
