import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Draining } from '../../worker/draining.ts';
import { scheduleWithTimers } from '../../worker/schedule.ts';
import type { TaskRegister } from '../../worker/tasks.ts';
import { type ControlledRun, createRegister, taskRequest } from '../support/worker-service.ts';

const LINGER_MS = 1_000;

interface Setup {
  readonly tasks: TaskRegister;
  readonly runs: ControlledRun[];
  readonly draining: Draining;
  readonly drained: ReturnType<typeof vi.fn<(why: string) => void>>;
}

function setUp(): Setup {
  const runs: ControlledRun[] = [];
  const drained = vi.fn<(why: string) => void>();
  const tasks = createRegister(runs, [], ({ active }) => {
    if (!active) draining.taskEnded();
  });
  const draining = new Draining({
    tasks,
    lingerMs: LINGER_MS,
    now: () => performance.now(),
    schedule: scheduleWithTimers,
    onDrained: drained,
  });
  return { tasks, runs, draining, drained };
}

async function complete({ runs }: Setup, run: number): Promise<void> {
  runs[run]?.complete();
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a draining worker', () => {
  it('is drained at once when it never had a task', () => {
    const { draining, drained } = setUp();
    expect(draining.begun).toBe(false);
    draining.begin();
    expect(drained).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no task is left'));
    expect(draining.begun).toBe(true);
  });

  it('goes on until its running and its waiting task are over and their final status was given', async () => {
    const setup = setUp();
    const { tasks, draining, drained } = setup;
    tasks.accept(taskRequest());
    tasks.accept(taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    draining.begin();
    draining.statusGiven(tasks.status('task-1'));
    await complete(setup, 0);
    draining.statusGiven(tasks.status('task-1'));
    await complete(setup, 1);
    expect(drained).not.toHaveBeenCalled();
    draining.statusGiven(tasks.status('task-2'));
    expect(drained).toHaveBeenCalledOnce();
    draining.begin();
    await vi.advanceTimersByTimeAsync(10 * LINGER_MS);
    expect(drained).toHaveBeenCalledOnce();
  });

  it('does not wait for a final status that was given before', async () => {
    const setup = setUp();
    const { tasks, draining, drained } = setup;
    tasks.accept(taskRequest());
    await complete(setup, 0);
    draining.statusGiven(tasks.status('task-1'));
    expect(drained).not.toHaveBeenCalled();
    draining.begin();
    expect(drained).toHaveBeenCalledOnce();
  });

  it('waits at most the linger time after its last task for somebody to ask', async () => {
    const setup = setUp();
    const { tasks, draining, drained } = setup;
    tasks.accept(taskRequest());
    tasks.accept(taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    draining.begin();
    await complete(setup, 0);
    await vi.advanceTimersByTimeAsync(5 * LINGER_MS);
    await complete(setup, 1);
    await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
    expect(drained).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(drained).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('nobody asked'));
  });

  it('counts the linger time from the end of the last task, not from the beginning of draining', async () => {
    const setup = setUp();
    const { tasks, draining, drained } = setup;
    tasks.accept(taskRequest());
    await complete(setup, 0);
    await vi.advanceTimersByTimeAsync(LINGER_MS);
    draining.begin();
    expect(drained).toHaveBeenCalledOnce();
  });

  it('waits for cancelled tasks like for others', async () => {
    const { tasks, draining, drained } = setUp();
    tasks.accept(taskRequest());
    draining.begin();
    const final = await tasks.cancel('task-1', 'enough');
    expect(drained).not.toHaveBeenCalled();
    draining.statusGiven(final);
    expect(drained).toHaveBeenCalledOnce();
  });

  it('waits for its orchestrator without a limit when that drains the worker', async () => {
    const setup = setUp();
    const { tasks, draining, drained } = setup;
    tasks.accept(taskRequest());
    expect(draining.takeNoMore()).toBe(1);
    expect(draining.begun).toBe(true);
    expect(() => draining.refuseNew('task-2')).toThrow(/drains/);
    await complete(setup, 0);
    draining.statusGiven(tasks.status('task-1'));
    expect(draining.takeNoMore()).toBe(0);
    await vi.advanceTimersByTimeAsync(10 * LINGER_MS);
    expect(drained).not.toHaveBeenCalled();
    draining.begin();
    expect(drained).toHaveBeenCalledOnce();
  });

  it('acts no more when it was ended', async () => {
    const setup = setUp();
    setup.tasks.accept(taskRequest());
    setup.draining.begin();
    setup.draining.end();
    await complete(setup, 0);
    await vi.advanceTimersByTimeAsync(2 * LINGER_MS);
    expect(setup.drained).not.toHaveBeenCalled();
  });
});
