import { describe, expect, it, onTestFinished } from 'vitest';
import { type WorkerCalls, WorkerRefusal } from '../../orchestrator/fleet/worker-client.ts';
import { pacedWorker, realWorker, simulatedWorker, type WorkerBackend } from '../support/worker-backends.ts';
import { testServices } from '../support/worker-service.ts';

/** What an orchestrator relies on when it calls a worker: the real one, and each that stands for it in tests. */

const serve = testServices();

const BACKENDS: readonly (readonly [string, () => Promise<WorkerBackend>])[] = [
  ['the real worker, over HTTP', () => realWorker(serve)],
  ['a worker of the simulation', simulatedWorker],
  ['a worker of a large fleet in virtual time', pacedWorker],
];

async function opened(open: () => Promise<WorkerBackend>) {
  const worker = await open();
  onTestFinished(() => worker.close());
  const ask = <T>(call: (calls: WorkerCalls, url: string) => Promise<T>): Promise<T> =>
    worker.until(call(worker.calls, worker.url));
  return { ask, task: worker.task };
}

async function refusalOf(answer: Promise<unknown>): Promise<number> {
  const error: unknown = await answer.then(
    () => 'it was taken',
    (reason: unknown) => reason,
  );
  if (error instanceof WorkerRefusal) return error.status;
  throw new Error(`not a refusal: ${String(error)}`);
}

describe.each(BACKENDS)('%s', (_name, open) => {
  it('gives all its tasks, the newest first, each as it is given alone; none when it has none', async () => {
    const { ask, task } = await opened(open);
    expect(await ask((calls, url) => calls.tasks(url))).toEqual([]);
    await ask((calls, url) => calls.post(url, task('task-1')));
    await ask((calls, url) => calls.post(url, task('task-2')));
    const all = await ask((calls, url) => calls.tasks(url));
    expect(all.map(({ task_id, active }) => [task_id, active])).toEqual([
      ['task-2', true],
      ['task-1', true],
    ]);
    const second = await ask((calls, url) => calls.task(url, 'task-2'));
    expect(all[0]).toEqual(second);
  });

  it('gives tasks that are over with their final counts, and does not know others', async () => {
    const { ask, task } = await opened(open);
    await ask((calls, url) => calls.post(url, task('task-1')));
    await ask((calls, url) => calls.cancel(url, 'task-1'));
    const [over] = await ask((calls, url) => calls.tasks(url));
    expect(over).toMatchObject({ task_id: 'task-1', active: false, error: { next: 'cancelled' } });
    expect(await ask((calls, url) => calls.tasks(url))).toEqual([over]);
    expect(await ask((calls, url) => calls.task(url, 'task-2'))).toBeNull();
    expect(await refusalOf(ask((calls, url) => calls.cancel(url, 'task-2')))).toBe(404);
  });

  it('takes no new task once it is drained, says so, and goes on with those that it has', async () => {
    const { ask, task } = await opened(open);
    await ask((calls, url) => calls.post(url, task('task-1')));
    expect((await ask((calls, url) => calls.health(url))).draining).toBe(false);
    await ask((calls, url) => calls.drain(url));
    await ask((calls, url) => calls.drain(url));
    expect((await ask((calls, url) => calls.health(url))).draining).toBe(true);
    expect(await refusalOf(ask((calls, url) => calls.post(url, task('task-2'))))).toBe(503);
    await ask((calls, url) => calls.post(url, task('task-1')));
    expect((await ask((calls, url) => calls.tasks(url))).map(({ active }) => active)).toEqual([true]);
  });

  it('answers on when it is drained and its last task is over: its orchestrator ends it', async () => {
    const { ask, task } = await opened(open);
    await ask((calls, url) => calls.post(url, task('task-1')));
    await ask((calls, url) => calls.drain(url));
    await ask((calls, url) => calls.cancel(url, 'task-1'));
    expect((await ask((calls, url) => calls.task(url, 'task-1')))?.active).toBe(false);
    expect((await ask((calls, url) => calls.health(url))).draining).toBe(true);
    expect((await ask((calls, url) => calls.tasks(url))).map(({ active }) => active)).toEqual([false]);
  });
});
