import { describe, expect, it } from 'vitest';
import { errorBodySchema } from '../../worker/contract.ts';
import { call, HOLDER, post, taskRequest, testServices } from '../support/worker-service.ts';

const serve = testServices();

describe('the headers Reindex-Run and Reindex-Epoch of a call to a worker', () => {
  it('with a lower epoch than seen are refused on every call, and renew no lease', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const renewals = s.renewals;
    const old = { ...HOLDER, 'Reindex-Epoch': '2' };
    for (const [method, path] of [
      ['GET', '/task'],
      ['GET', '/task/task-1'],
      ['PATCH', '/task/task-1'],
      ['DELETE', '/task/task-1'],
      ['POST', '/reindexing_task'],
      ['POST', '/drain'],
    ] as const) {
      expect((await call(s, method, path, old)).status).toBe(409);
    }
    expect(s.renewals).toBe(renewals);
    expect((await call(s, 'GET', '/task', { ...HOLDER, 'Reindex-Epoch': '4' })).status).toBe(200);
    expect((await call(s, 'GET', '/task', HOLDER)).status).toBe(409);
  });

  it('of another run are refused while a task is active, and accepted when none is', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const other = { 'Reindex-Run': 'run-2', 'Reindex-Epoch': '1' };
    expect((await call(s, 'GET', '/task/task-1', other)).status).toBe(409);
    s.runs[0]?.complete();
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    expect((await post(s, taskRequest({ task_id: 'other', run: 'run-2' }), other)).status).toBe(202);
  });

  it('are refused with 503 when the lease is over, and the late call changes nothing', async () => {
    const s = await serve();
    await post(s, taskRequest());
    s.leased = false;
    expect((await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }))).status).toBe(503);
    expect((await call(s, 'DELETE', '/task/task-1')).status).toBe(503);
    expect(s.tasks.list().map(({ task_id, active }) => [task_id, active])).toEqual([['task-1', true]]);
    expect((await call(s, 'GET', '/task/task-1', {})).status).toBe(200);
  });

  it.each([
    ['Reindex-Epoch', { 'Reindex-Run': 'run-1' }],
    ['Reindex-Run', { 'Reindex-Epoch': '1' }],
    ['Reindex-Epoch', { ...HOLDER, 'Reindex-Epoch': '-1' }],
    ['Reindex-Epoch', { ...HOLDER, 'Reindex-Epoch': '1e3' }],
    ['Reindex-Epoch', { ...HOLDER, 'Reindex-Epoch': '99999999999999999999' }],
    ['Reindex-Run', { ...HOLDER, 'Reindex-Run': 'x'.repeat(256) }],
  ])('are refused with the name of the malformed header %s: %j', async (field, headers) => {
    const s = await serve();
    expect(await call(s, 'GET', '/task', headers)).toMatchObject({ status: 400, body: { field } });
  });
});

describe('the token of a worker', () => {
  it('is required for every call except those for health and life', async () => {
    const s = await serve({ token: 'a-long-enough-token' });
    expect((await call(s, 'GET', '/healthcheck', {})).status).toBe(200);
    expect((await call(s, 'GET', '/alive', {})).status).toBe(200);
    const wrong = [
      '',
      'Bearer',
      'Bearer a-long-enough-toke',
      'Bearer a-long-enough-token2',
      'Basic a-long-enough-token',
      `Bearer ${'x'.repeat(4_000)}`,
    ];
    for (const authorization of wrong) {
      for (const [method, path] of [
        ['GET', '/task'],
        ['POST', '/reindexing_task'],
        ['GET', '/metrics'],
        ['GET', '/openapi.json'],
        ['GET', '/nothing'],
      ] as const) {
        const answer = await call(s, method, path, { ...HOLDER, authorization });
        expect([answer.status, errorBodySchema.parse(answer.body).error]).toEqual([401, expect.any(String)]);
      }
    }
    expect(s.renewals).toBe(0);
    expect(
      (await call(s, 'GET', '/task', { ...HOLDER, authorization: 'Bearer a-long-enough-token' })).status,
    ).toBe(200);
  });
});

describe('a call to a worker with an unknown path or method', () => {
  it.each([
    ['GET', '/nothing', 404],
    ['POST', '/', 404],
    ['GET', '/task/a/b', 404],
    ['GET', '/reindexing_task', 405],
    ['PUT', '/task/task-1', 405],
    ['POST', '/task', 405],
    ['GET', '/drain', 405],
    ['DELETE', '/healthcheck', 405],
    ['POST', '/alive', 405],
    ['POST', '/metrics', 405],
    ['POST', '/openapi.json', 405],
  ])('%s %s is answered with %i', async (method, path, status) => {
    const s = await serve();
    const answer = await call(s, method, path);
    expect([answer.status, errorBodySchema.parse(answer.body).error]).toEqual([status, expect.any(String)]);
    expect(answer.headers.has('allow')).toBe(status === 405);
  });
});
