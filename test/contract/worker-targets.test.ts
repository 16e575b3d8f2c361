import { describe, expect, it } from 'vitest';
import { type TaskRequest, taskStatusSchema } from '../../worker/contract.ts';
import { call, post, taskRequest, testServices } from '../support/worker-service.ts';

const serve = testServices();

const OTHER_DIGEST = `${'c'.repeat(32)}.${'b'.repeat(32)}`;

/** A task with its usual target and a second one. */
function withSecond(changes: Partial<TaskRequest['targets'][number]>): TaskRequest {
  const request = taskRequest();
  const [first] = request.targets;
  if (first === undefined) throw new Error('a task has a target');
  const second = {
    ...first,
    index: 'large-1',
    write_alias: 'large-1-write-1',
    dead_letter_alias: 'large-1-dead',
  };
  return { ...request, targets: [first, { ...second, ...changes }] };
}

describe('a posted task with several targets', () => {
  it('is accepted when one reading can fill each target, and has counts for each in their order', async () => {
    const s = await serve();
    expect((await post(s, withSecond({ definition: 'large' }))).status).toBe(202);
    const waiting = taskStatusSchema.parse((await call(s, 'GET', '/task/task-1')).body);
    const none = { indexed: 0, superseded: 0, filtered: 0, dead_letters: 0 };
    expect(waiting.targets).toEqual([
      { index: 'cities-1', ...none },
      { index: 'large-1', ...none },
    ]);
    const [run] = s.runs;
    if (run === undefined) throw new Error('no run');
    run.figures = {
      ...run.figures,
      settledThrough: 9n,
      counts: {
        rowsRead: 10,
        filtered: 0,
        targets: [
          { indexed: 10, superseded: 0, filtered: 0, deadLetters: 0 },
          { indexed: 1, superseded: 2, filtered: 3, deadLetters: 4 },
        ],
      },
    };
    expect((await call(s, 'GET', '/task/task-1')).body).toMatchObject({
      rows_read: 10,
      targets: [
        { index: 'cities-1', indexed: 10 },
        { index: 'large-1', indexed: 1, superseded: 2, filtered: 3, dead_letters: 4 },
      ],
    });
  });

  it('is another task when its targets stand in another order', async () => {
    const s = await serve();
    const request = withSecond({ definition: 'large' });
    await post(s, request);
    expect((await post(s, request)).status).toBe(202);
    expect(await post(s, { ...request, targets: request.targets.toReversed() })).toMatchObject({
      status: 409,
      body: { field: 'task_id' },
    });
    expect(s.runs).toHaveLength(1);
  });

  it.each<[string, Partial<TaskRequest['targets'][number]>, number, string, RegExp]>([
    ['is not on board', { definition: 'villages' }, 404, 'definition', /villages/],
    ['is another on board', { definition_digest: OTHER_DIGEST }, 409, 'definition_digest', /aaaa/],
    ['reads another table', { definition: 'towns' }, 409, 'definition', /source\.table/],
    ['has another expression for a field', { definition: 'shouted' }, 409, 'definition', /"name"/],
    ['has a field that is not read', { definition: 'longer' }, 409, 'definition', /"region"/],
  ])('is refused when a definition of a target %s', async (...[, changes, status, field, words]) => {
    const s = await serve();
    const answer = await post(s, withSecond(changes));
    expect(answer).toMatchObject({ status, body: { field: `targets.1.${field}` } });
    expect(answer.body.error).toMatch(words);
    expect([s.runs.length, s.errors.length]).toEqual([0, 0]);
  });
});
