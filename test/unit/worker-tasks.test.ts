import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { INTEGER_KEY } from '../../definition/key/integer-key.ts';
import type { TaskStatus } from '../../worker/contract.ts';
import { Lease } from '../../worker/lease.ts';
import { scheduleWithTimers } from '../../worker/schedule.ts';
import { progressOf } from '../../worker/task-status.ts';
import { type ControlledRun, createRegister, taskRequest } from '../support/worker-service.ts';

describe('the progress of a task', () => {
  const at = (
    start_index: string | null,
    end_index: string | null,
    settledThrough: bigint | null,
    firstKey: bigint | null = null,
  ) => progressOf({ start_index, end_index }, { settledThrough, firstKey }, INTEGER_KEY);

  it.each<[string, number, number]>([
    ['nothing is settled', at('0', '100', null), 0],
    ['half is', at('0', '100', 49n), 50],
    ['all is, but the task has not ended', at('0', '100', 99n), 99.99],
    ['the range has no start: from the first key read', at(null, '200', 149n, 100n), 50],
    ['the range has no end', at('0', null, 1_000n), 0],
    ['the keys are negative', at('-100', '0', -51n), 50],
    [
      'the keys are beyond what a number holds',
      at('9223372036854775000', '9223372036854775800', 9_223_372_036_854_775_399n),
      50,
    ],
  ])('is right when %s', (_name, progress, expected) => expect(progress).toBe(expected));

  it('never falls and stays within 0 and 99.99, over all bigint keys', () => {
    const key = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 4, maxLength: 4 }), (keys) => {
        const [start = 0n, one = 0n, two = 0n, end = 0n] = keys.sort((a, b) => (a < b ? -1 : 1));
        const seen = [one, two].map((settled) => at(String(start), String(end), settled));
        expect(seen[0]).toBeGreaterThanOrEqual(0);
        expect(seen[1]).toBeGreaterThanOrEqual(seen[0] ?? 0);
        expect(seen[1]).toBeLessThanOrEqual(99.99);
      }),
    );
  });
});

describe('the register of tasks', () => {
  it('keeps the last 1,000 finished tasks and never drops an active one', async () => {
    const runs: ControlledRun[] = [];
    const register = createRegister(runs, []);
    for (let i = 0; i < 1_100; i++) {
      register.accept(taskRequest({ task_id: `task-${i}`, range_id: `range-${i}` }));
      await register.cancel(`task-${i}`, 'enough');
    }
    register.accept(taskRequest({ task_id: 'active', range_id: 'active' }));
    expect(
      register
        .list()
        .map((task) => task.task_id)
        .slice(0, 2),
    ).toEqual(['active', 'task-1099']);
    expect(register.list()).toHaveLength(1_001);
    expect(() => register.status('task-0')).toThrow(/no task "task-0"/);
  });

  it('lowers the end of a task until the task is over, and not afterwards', async () => {
    const runs: ControlledRun[] = [];
    const register = createRegister(runs, []);
    register.accept(taskRequest());
    // The work is done, but the register has not heard of it yet.
    runs[0]?.complete();
    expect(register.lowerEnd('task-1', '50')).toMatchObject({ active: true, end_index: '50' });
    await expect.poll(() => register.activeRun).toBeNull();
    expect(register.status('task-1')).toMatchObject({ active: false, progress: 100, end_index: '50' });
    expect(() => register.lowerEnd('task-1', '40')).toThrow(/is over/);
    expect([register.status('task-1').end_index, runs[0]?.ends]).toEqual(['50', [50n]]);
  });

  it('cancels the waiting task and leaves the running one', async () => {
    const runs: ControlledRun[] = [];
    const register = createRegister(runs, []);
    register.accept(taskRequest());
    register.accept(taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    await register.cancelWaiting('the machine goes');
    expect(register.status('task-1')).toMatchObject({ active: true });
    expect(register.status('task-2')).toMatchObject({
      active: false,
      settled_through: null,
      error: { next: 'cancelled', message: 'the machine goes' },
    });
    expect(runs).toHaveLength(1);
    await register.cancelAll('enough');
  });

  it('reports each beginning and end, in order', async () => {
    const runs: ControlledRun[] = [];
    const changes: TaskStatus[] = [];
    const register = createRegister(runs, changes);
    register.accept(taskRequest());
    register.accept(taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    runs[0]?.complete();
    await expect.poll(() => changes.length).toBe(3);
    await register.cancelAll('enough');
    expect(changes.map(({ task_id, active }) => `${task_id} ${active}`)).toEqual([
      'task-1 true',
      'task-1 false',
      'task-2 true',
      'task-2 false',
    ]);
    expect(register.activeRun).toBeNull();
  });
});

describe('the lease of a worker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const leaseOf = (onExpired: () => void): Lease =>
    new Lease({ leaseMs: 1_000, now: () => performance.now(), schedule: scheduleWithTimers, onExpired });

  it('ends once, a whole lease after its last renewal', () => {
    const ended = vi.fn<() => void>();
    const lease = leaseOf(ended);
    vi.advanceTimersByTime(900);
    lease.renew();
    vi.advanceTimersByTime(999);
    expect(ended).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    vi.advanceTimersByTime(10_000);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('does nothing more after it was ended', () => {
    const ended = vi.fn<() => void>();
    const lease = leaseOf(ended);
    lease.end();
    vi.advanceTimersByTime(10_000);
    expect(lease.renew()).toBe(false);
    expect(ended).not.toHaveBeenCalled();
  });

  it('counts as over when the process was paused past its end, even if a call comes before its timer', () => {
    let nowMs = 0;
    const ended = vi.fn<() => void>();
    const schedule = scheduleWithTimers;
    const lease = new Lease({ leaseMs: 1_000, now: () => nowMs, schedule, onExpired: ended });
    nowMs = 999;
    expect(lease.renew()).toBe(true);
    nowMs = 1_999;
    expect(lease.renew()).toBe(false);
    expect(ended).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(10_000);
    expect(ended).toHaveBeenCalledOnce();
  });
});
