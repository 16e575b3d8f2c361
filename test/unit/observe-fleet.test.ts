import { describe, expect, it } from 'vitest';
import type { FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import { NOTHING_REFUSED, observeFleet, type Seen } from '../../orchestrator/fleet/observe.ts';
import type { WorkerCalls } from '../../orchestrator/fleet/worker-client.ts';
import { PLAIN_FLEET, PLAIN_INSTANCE, type WorkerAnswer } from '../../orchestrator/reconcile/observation.ts';
import { assignRange, freshRange } from '../../orchestrator/reconcile/range-state.ts';
import { emptyState, type RunState } from '../../orchestrator/reconcile/state.ts';
import type { TaskStatus } from '../../worker/contract.ts';

describe('a look at 1,000 workers', () => {
  it('asks each worker, at most 250 at a time', async () => {
    const workers = new ScriptedWorkers();
    const ids = Array.from({ length: 1_000 }, (_, i) => `i-${i}`);
    const { observation } = await look(workers, ids, emptyState(), new Set(ids));
    expect(observation.workers.size).toBe(1_000);
    expect([...observation.workers.values()].every(({ reachable }) => reachable)).toBe(true);
    expect(workers.most).toBe(250);
  });
});

describe('a worker that is adopted', () => {
  it('is asked for all its tasks at the first look, and from then on for those that the run has given to it', async () => {
    const workers = new ScriptedWorkers();
    workers.tasksOf = ['task-1', 'ended'].map((id) => statusOf(id, id !== 'ended'));
    const first = await look(workers, ['i-1'], withTask('i-1', 'task-1'));
    expect(workers.asked).toEqual(['all']);
    expect(answerOf(first)).toMatchObject({ tasks: { 'task-1': { task_id: 'task-1' } }, strayTasks: [] });
    const second = await look(workers, ['i-1'], withTask('i-1', 'task-1'), first.adopted);
    expect(workers.asked).toEqual(['all', 'task-1']);
    expect(answerOf(second)).toEqual(answerOf(first));
  });

  it('says which tasks the run does not know, and is asked for all again until they are over', async () => {
    const workers = new ScriptedWorkers();
    workers.tasksOf = [statusOf('stray', true)];
    const first = await look(workers, ['i-1'], withTask('i-1', 'task-1'));
    expect(answerOf(first)).toMatchObject({ tasks: { 'task-1': null }, strayTasks: ['stray'] });
    workers.tasksOf = [statusOf('stray', false)];
    const second = await look(workers, ['i-1'], withTask('i-1', 'task-1'), first.adopted);
    expect(answerOf(second)).toMatchObject({ strayTasks: [] });
    expect(workers.asked).toEqual(['all', 'all']);
    expect([...second.adopted]).toEqual(['i-1']);
  });

  it('is adopted once more when it did not answer, or another answered in its place', async () => {
    const workers = new ScriptedWorkers();
    const adopted = new Set(['i-1']);
    workers.fails = true;
    expect((await look(workers, ['i-1'], emptyState(), adopted)).adopted.size).toBe(0);
    workers.fails = false;
    workers.callsItself = 'i-2';
    expect((await look(workers, ['i-1'], emptyState(), adopted)).adopted.size).toBe(0);
  });
});

function look(
  workers: WorkerCalls,
  ids: readonly string[],
  state: Pick<RunState, 'open'>,
  adopted: ReadonlySet<string> = new Set(),
): Promise<Seen> {
  const instances = ids.map(running);
  const fleet = { observe: async () => ({ desired: ids.length, exact: false, ...PLAIN_FLEET, instances }) };
  return observeFleet({ fleet, workers, adopted }, state, NOTHING_REFUSED, new Date(0));
}

function answerOf({ observation }: Seen): WorkerAnswer | undefined {
  return observation.workers.get('i-1');
}

function running(id: string): FleetInstance {
  return { id, phase: 'running', run: 'run-1', ...PLAIN_INSTANCE, url: id };
}

function withTask(instance: string, task: string): Pick<RunState, 'open'> {
  const range = freshRange({ number: '1', start: null, end: null, rows: 1, bytes: 1 }, 1);
  return { open: new Map([[range.id, assignRange(range, { attempt: 1, instance, task })]]) };
}

function statusOf(task: string, active: boolean): TaskStatus {
  return {
    task_id: task,
    active,
    attempt: 1,
    end_index: null,
    progress: 0,
    settled_through: null,
    rows_read: 0,
    filtered: 0,
    targets: [],
    bytes_sent: 0,
    retries: 0,
    waiting_for: null,
    start_time: '2026-01-01T00:00:00.000Z',
    finish_time: active ? null : '2026-01-01T00:00:01.000Z',
    error: null,
  };
}

class ScriptedWorkers implements WorkerCalls {
  most = 0;
  fails = false;
  callsItself: string | null = null;
  tasksOf: readonly TaskStatus[] = [];
  readonly asked: string[] = [];
  #now = 0;

  async health(url: string): Promise<Awaited<ReturnType<WorkerCalls['health']>>> {
    if (this.fails) throw new Error('ECONNREFUSED');
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await new Promise((resolve) => void setImmediate(resolve));
    this.#now -= 1;
    const worker_id = this.callsItself ?? url;
    return { status: 'ok', build: 'build-1', worker_id, draining: false, ready: true };
  }

  async task(_url: string, taskId: string): Promise<TaskStatus | null> {
    this.asked.push(taskId);
    return this.tasksOf.find(({ task_id: id }) => id === taskId) ?? null;
  }

  async tasks(): Promise<readonly TaskStatus[]> {
    this.asked.push('all');
    return this.tasksOf;
  }

  post = unasked;
  cut = unasked;
  cancel = unasked;
  drain = unasked;
}

function unasked(): Promise<never> {
  return Promise.reject(new Error('a look changes nothing'));
}
