import { describe, expect, it } from 'vitest';
import type { Effect } from '../../orchestrator/reconcile/draft.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyMemory } from '../../orchestrator/reconcile/memory.ts';
import {
  acceptedRows,
  type Behaviour,
  evenRanges,
  TEST_LIMITS,
  VirtualWorld,
} from '../support/virtual-world.ts';

const TICK_MS = 1_000;

/** What was done to an instance, in order: when, in milliseconds of virtual time, and what. */
function doneTo(world: VirtualWorld, instance: string): [number, Effect['type']][] {
  return world.effects.flatMap(({ atMs, effect }) =>
    'instance' in effect && effect.instance === instance && effect.type !== 'post_task'
      ? [[atMs, effect.type] satisfies [number, Effect['type']]]
      : [],
  );
}

/** Types of the events that speak of an instance's end, in order. */
function endEvents(world: VirtualWorld, instance: string): string[] {
  return world.events.flatMap((event) =>
    (event.type === 'draining' || event.type === 'terminating') && event.instance === instance
      ? [event.type]
      : [],
  );
}

/** A pass that is stopped while each worker is in the middle of a range. */
function stoppedWorld(behaviours: readonly Behaviour[] = []): { world: VirtualWorld; stoppedMs: number } {
  const world = new VirtualWorld({ ranges: evenRanges(2, 1_000), limits: { workers: 2 }, behaviours });
  for (let tick = 1; tick <= 20; tick += 1) world.tick(tick);
  world.state = applyEvents(world.state, [{ type: 'stopped', reason: 'enough' }]);
  return { world, stoppedMs: world.nowMs };
}

describe('the end of a worker that has nothing to do', () => {
  it('is a drain and a termination in one tick, both journalled before, drained first', () => {
    const world = new VirtualWorld({ ranges: evenRanges(4, 100), limits: { workers: 2 } });
    world.runToEnd();
    expect(acceptedRows(world)).toBe(400);
    for (const { id } of world.workers) {
      const ends = doneTo(world, id).filter(([, type]) => type !== 'cut_task' && type !== 'cancel_task');
      expect(ends.map(([, type]) => type)).toEqual(['drain', 'terminate']);
      expect(new Set(ends.map(([atMs]) => atMs)).size).toBe(1);
      expect(endEvents(world, id)).toEqual(['draining', 'terminating']);
    }
    expect(world.state.drains).toEqual({});
  });

  it('is the same for one that is let go while others work', () => {
    const world = new VirtualWorld({
      ranges: [...evenRanges(1, 10), { start: 10n, end: 16n }],
      limits: { workers: 2 },
      behaviours: [{ slowness: 5 }, {}],
    });
    world.runToEnd();
    const [first] = world.effects.filter(({ effect }) => effect.type === 'terminate');
    expect(first?.effect).toMatchObject({ type: 'terminate', decrement: true });
    const surplus = first?.effect.type === 'terminate' ? first.effect.instance : '';
    expect(doneTo(world, surplus).slice(-2)).toEqual([
      [first?.atMs, 'drain'],
      [first?.atMs, 'terminate'],
    ]);
  });

  it('is a termination alone where no worker answers, or another than the one that belongs there', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(2, 300),
      limits: { workers: 2 },
      behaviours: [{}, { bootTicks: 1_000 }],
    });
    world.runToEnd();
    expect(doneTo(world, 'w2').map(([, type]) => type)).toEqual(['terminate']);
    const other = new VirtualWorld({
      ranges: evenRanges(2, 300),
      limits: { workers: 2 },
      behaviours: [{}, { callsItself: 'w1' }],
    });
    other.runToEnd();
    expect(doneTo(other, 'w2').map(([, type]) => type)).toEqual(['terminate']);
  });
});

describe('the end of a worker in the middle of its work, when the run is stopped', () => {
  it('comes a tick later: its task is cancelled, and all that it had settled is accepted', () => {
    const { world, stoppedMs } = stoppedWorld();
    const polled = world.workers.map(({ tasks }) =>
      tasks.reduce((sum, task) => sum + task.status.rows_read, 0),
    );
    world.runToEnd();
    for (const { id } of world.workers)
      expect(doneTo(world, id)).toEqual([
        [stoppedMs, 'drain'],
        [stoppedMs, 'cancel_task'],
        [stoppedMs + TICK_MS, 'drain'],
        [stoppedMs + TICK_MS, 'terminate'],
      ]);
    const settled = world.workers.map(({ tasks }) =>
      tasks.reduce((sum, task) => sum + task.status.rows_read, 0),
    );
    expect(acceptedRows(world)).toBe(settled.reduce((sum, rows) => sum + rows));
    expect(acceptedRows(world)).toBeGreaterThan(polled.reduce((sum, rows) => sum + rows));
    expect([...world.state.open.values()].map(({ status, charged }) => [status, charged])).toEqual([
      ['waiting', 0],
      ['waiting', 0],
    ]);
  });

  it('comes at the deadline when the worker does not end its task, with what was polled of it', () => {
    const { world, stoppedMs } = stoppedWorld([{ drainsNever: true }, {}]);
    world.runToEnd();
    const [stuck] = doneTo(world, 'w1').filter(([, type]) => type === 'terminate');
    expect(stuck?.[0]).toBe(stoppedMs + TEST_LIMITS.drainTimeoutMs);
    expect(doneTo(world, 'w2').find(([, type]) => type === 'terminate')?.[0]).toBe(stoppedMs + TICK_MS);
    expect([...world.state.open.values()].every(({ status }) => status === 'waiting')).toBe(true);
  });

  it('comes at the deadline when the worker has gone silent, or drains are lost', () => {
    const { world, stoppedMs } = stoppedWorld([{ silentAt: 19 }, {}]);
    world.runToEnd();
    expect(doneTo(world, 'w1').find(([, type]) => type === 'terminate')?.[0]).toBeLessThanOrEqual(
      stoppedMs + TEST_LIMITS.drainTimeoutMs,
    );
    const lossy = new VirtualWorld({
      ranges: evenRanges(2, 1_000),
      limits: { workers: 2 },
      loseEffects: ({ type }) => type === 'drain' || type === 'cancel_task',
    });
    for (let tick = 1; tick <= 20; tick += 1) lossy.tick(tick);
    lossy.state = applyEvents(lossy.state, [{ type: 'stopped', reason: 'enough' }]);
    const beganMs = lossy.nowMs;
    lossy.runToEnd();
    expect(lossy.nowMs - beganMs).toBeLessThanOrEqual(TEST_LIMITS.drainTimeoutMs + 3 * TICK_MS);
  });

  it('is brought about by the next process when this one dies in between, and the run goes on with others', () => {
    const { world } = stoppedWorld();
    world.tick(21);
    expect(Object.keys(world.state.drains).sort()).toEqual(['w1', 'w2']);
    world.memory = emptyMemory();
    world.state = applyEvents(world.state, [{ type: 'pass_resumed' }]);
    world.runToEnd();
    expect(acceptedRows(world)).toBe(2_000);
    expect(world.workers.length).toBeGreaterThan(2);
    expect(world.state.replacements).toBe(0);
    for (const id of ['w1', 'w2']) expect(doneTo(world, id).at(-1)?.[1]).toBe('terminate');
  });
});

describe('a task that a worker has and the run does not know', () => {
  it('is ended before the worker is given work, and no row of it is accepted', () => {
    const world = new VirtualWorld({ ranges: evenRanges(4, 100), limits: { workers: 2 } });
    for (let tick = 1; tick <= 2; tick += 1) world.tick(tick);
    world.giveStray('w1', 50n);
    world.runToEnd();
    const [first] = world.effects.filter(({ effect }) => 'instance' in effect && effect.instance === 'w1');
    expect(first?.effect).toEqual({ type: 'cancel_task', instance: 'w1', task: 'stray' });
    const posts = world.effects.filter(
      ({ effect }) => effect.type === 'post_task' && effect.instance === 'w1',
    );
    expect(posts[0]?.atMs).toBe((first?.atMs ?? 0) + TICK_MS);
    expect([acceptedRows(world), world.workers.length]).toEqual([400, 2]);
  });

  it('costs the worker its place when it is not ended in time', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 2 },
      behaviours: [{ drainsNever: true }, {}],
    });
    for (let tick = 1; tick <= 2; tick += 1) world.tick(tick);
    world.giveStray('w1', 1_000_000n);
    world.runToEnd();
    expect(acceptedRows(world)).toBe(4_000);
    expect(world.state.terminations['w1']?.reason).toMatch(
      /^it has not ended task stray, which this run does not know, for 6\d s$/,
    );
  });
});
