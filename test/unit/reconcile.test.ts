import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptedRows,
  type Behaviour,
  evenRanges,
  givenBack,
  VirtualWorld,
} from '../support/virtual-world.ts';

describe('a pass without faults', () => {
  it('settles every row once and ends at zero', () => {
    const world = new VirtualWorld({ ranges: evenRanges(20, 100) });
    world.runToEnd();
    expect(acceptedRows(world)).toBe(2000);
    expect(world.desired).toBe(0);
    expect(world.alive).toEqual([]);
    expect(world.state.stopped).toBeNull();
  });

  it('asks for no more workers than there are ranges', () => {
    const world = new VirtualWorld({ ranges: evenRanges(2, 50) });
    world.runToEnd();
    expect(world.workers).toHaveLength(2);
  });

  it('keeps a second task waiting at each worker, so that no worker idles between polls', () => {
    const world = new VirtualWorld({ ranges: evenRanges(40, 30), limits: { workers: 2 } });
    for (let tick = 1; tick <= 6; tick += 1) world.tick(tick);
    expect(world.workers.map((worker) => worker.tasks.filter((task) => task.status.active).length)).toEqual([
      2, 2,
    ]);
  });

  it('gives out the longest ranges first', () => {
    const world = new VirtualWorld({
      ranges: [
        { start: 0n, end: 10n },
        { start: 10n, end: 500n },
        { start: 500n, end: 600n },
      ],
      limits: { workers: 1 },
    });
    world.runToEnd();
    const order = world.events.flatMap((event) => (event.type === 'assigned' ? [event.range] : []));
    expect(order).toEqual(['p1-1', 'p1-2', 'p1-0']);
  });

  it('releases idle workers with one decrement each while others still work', () => {
    const world = new VirtualWorld({ ranges: [...evenRanges(3, 10), { start: 1000n, end: 3000n }] });
    world.runToEnd();
    expect([...world.decrements.values()].every((count) => count === 1)).toBe(true);
    expect(world.decrements.size).toBe(3);
  });
});

it('a run with a key kind that this build does not know is refused', () => {
  const world = new VirtualWorld({ ranges: evenRanges(1, 10) });
  const { plan } = world.state;
  world.state = { ...world.state, plan: plan && { ...plan, keyKind: 'shape' } };
  expect(() => world.runToEnd()).toThrow(
    "does not know the kind of the run's keys (shape): carry the run on with the build that began it",
  );
});

describe('a pass with failing workers', () => {
  it('uses up its replacements even when ended workers are no longer seen', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 1000),
      limits: { workers: 1, replacements: 3 },
      behaviours: Array.from({ length: 50 }, () => ({ neverReady: true, diesAt: 5 })),
      showsEnded: false,
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(/no worker is left and 3 replacements are used up/);
    expect(world.workers.length).toBeLessThanOrEqual(5);
  });

  it('redoes only what a dead worker had not settled', () => {
    const world = new VirtualWorld({ ranges: evenRanges(4, 200), behaviours: [{ diesAt: 10 }] });
    world.runToEnd();
    expect(acceptedRows(world)).toBe(800);
    const { ranges, charged } = givenBack(world);
    expect(charged).toHaveLength(1);
    expect(ranges).toEqual(charged);
  });

  it('does not charge an attempt to a range that only waited in the queue of a dead worker', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(12, 100),
      limits: { workers: 1 },
      behaviours: [{ diesAt: 6 }],
    });
    world.runToEnd();
    expect(givenBack(world).charged).toHaveLength(1);
    expect(acceptedRows(world)).toBe(1200);
  });

  it.each<[string, Behaviour, RegExp]>([
    ['never gets ready', { neverReady: true }, /not been ready/],
    ['runs another build', { build: 'build-2' }, /pinned to build-1/],
    ['answers at another worker’s address', { callsItself: 'w9' }, /calls itself w9/],
    [
      'stands still',
      { stallsAt: 5 },
      /no progress for \d+ s on .*, (behind key \d+|before its first row was settled)/,
    ],
    ['answers no more', { silentAt: 6 }, /does not answer|not answered/],
    ['refuses the task', { refusesWith: 409 }, /refused the task \(409\)/],
  ])('replaces a worker that %s', (_, behaviour, reason) => {
    const world = new VirtualWorld({ ranges: evenRanges(8, 400), behaviours: [behaviour] });
    world.runToEnd();
    expect(acceptedRows(world)).toBe(3200);
    expect(world.state.terminations['w1']?.decrement).toBe(false);
    expect(world.state.terminations['w1']?.reason).toMatch(reason);
    expect(world.workers).toHaveLength(5);
  });

  it.each([429, 0])(
    'replaces a worker that answers its task with status %d for long, and charges no range',
    (refusesWith) => {
      const world = new VirtualWorld({ ranges: evenRanges(4, 50), behaviours: [{ refusesWith }] });
      world.runToEnd();
      expect(world.state.stopped).toBeNull();
      expect(acceptedRows(world)).toBe(200);
      expect(world.state.terminations['w1']?.reason).toMatch(/has not started its task/);
      expect(givenBack(world).charged).toEqual([]);
    },
  );

  it('does not treat a task as stuck that waited long behind another', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(8, 2_000),
      limits: { workers: 1, stallTimeoutMs: 20_000 },
    });
    world.runToEnd();
    expect(world.workers).toHaveLength(1);
    expect(givenBack(world).ranges).toEqual([]);
  });

  it('charges one attempt for a worker that stands still, and none for the range waiting behind', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(8, 400),
      limits: { workers: 1 },
      behaviours: [{ stallsAt: 5 }],
    });
    world.runToEnd();
    expect(givenBack(world).charged).toHaveLength(1);
  });

  it('remembers which ranges were given out more than once', () => {
    const world = new VirtualWorld({ ranges: evenRanges(4, 200), behaviours: [{ diesAt: 10 }] });
    world.runToEnd();
    expect([...world.state.readTwice]).toHaveLength(1);
  });

  it('posts a task again after a full queue refused it, and charges no range', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(2, 50),
      behaviours: [{ refusesWith: 429 }],
      limits: { workers: 1 },
    });
    for (let tick = 1; tick <= 10; tick += 1) world.tick(tick);
    expect(givenBack(world).charged).toEqual([]);
    expect(world.state.terminations).toEqual({});
  });

  it('stops at zero after the last attempt, and keeps what is settled', () => {
    const error = { next: 'retry', type: 'internal', message: 'it broke' } as const;
    const world = new VirtualWorld({
      ranges: evenRanges(1, 1000),
      behaviours: Array.from({ length: 9 }, () => ({ error })),
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(/failed 3 times.*it broke/);
    expect(acceptedRows(world)).toBe(500 + 250 + 125);
    expect(world.alive).toEqual([]);
  });

  it('stops at once on an error that no other attempt can mend', () => {
    const error = { next: 'stop', type: 'cluster_block_exception', message: 'index read-only' } as const;
    const world = new VirtualWorld({ ranges: evenRanges(8, 100), behaviours: [{ error }] });
    world.runToEnd();
    expect(world.state.stopped).toBe('cluster_block_exception: index read-only');
    expect(world.desired).toBe(0);
    expect(world.alive).toEqual([]);
  });

  it('stops when workers wait too long for a dependency, and not before', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 100),
      behaviours: Array.from({ length: 4 }, () => ({ waitsFor: 'cluster' as const })),
    });
    const ticks = world.runToEnd();
    expect(ticks).toBeGreaterThan(600);
    expect(world.state.stopped).toMatch(/waited .* for the cluster/);
  });

  it('stops when workers wait on and off without progress', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 100),
      behaviours: Array.from({ length: 4 }, () => ({ waitsFor: 'cluster' as const, waitsOnAndOff: 30 })),
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(/waited on and off for 7\d\d s without progress/);
    expect(world.alive).toEqual([]);
  });

  it('stops with their last words when workers die faster than the replacement budget allows', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 100),
      behaviours: Array.from({ length: 30 }, () => ({ diesAt: 1 })),
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(
      /4 replacements are used up; \d workers ended .* ready: look at their logs; the last one: exit code 1/,
    );
    expect(world.workers.length).toBeLessThanOrEqual(4 + 2 * 4);
  });

  it('does not count instances that were gone before its first look', () => {
    const world = new VirtualWorld({ ranges: evenRanges(4, 100) });
    world.bury(50);
    world.runToEnd();
    expect(world.state.stopped).toBeNull();
    expect(acceptedRows(world)).toBe(400);
  });

  it('stops at too many dead letters', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 1000),
      behaviours: Array.from({ length: 4 }, () => ({ deadLetterEvery: 2 })),
      limits: { stopLimits: { target: 100 } },
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(/more than the definition's stop_limit of 100/);
  });

  it('rejects counts that do not add up', () => {
    const world = new VirtualWorld({ ranges: evenRanges(1, 100) });
    for (let tick = 1; tick <= 5; tick += 1) world.tick(tick);
    const task = world.workers[0]?.tasks[0];
    if (task === undefined) throw new Error('no task was posted');
    const targets = task.status.targets.map((target) => ({ ...target, filtered: 7 }));
    task.status = { ...task.status, targets, active: false };
    world.runToEnd();
    expect(world.state.stopped).toMatch(/counts its rows wrongly/);
    expect(acceptedRows(world)).toBe(0);
  });
});

it('a pass covers every key exactly once and ends at zero, whatever workers do and whichever calls are lost', () => {
  const behaviour = fc.record(
    {
      diesAt: fc.integer({ min: 1, max: 40 }),
      stallsAt: fc.integer({ min: 1, max: 40 }),
      silentAt: fc.integer({ min: 1, max: 40 }),
      neverReady: fc.boolean(),
      build: fc.constantFrom('build-1', 'build-2'),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.array(behaviour, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 10 }),
      (behaviours, sizes, lostTicks) => {
        let at = 0n;
        const ranges = sizes.map((size) => {
          const start = at;
          at += BigInt(size);
          return { start, end: at };
        });
        const world = new VirtualWorld({
          ranges,
          behaviours,
          limits: { replacements: 20, attempts: 20 },
          loseEffects: (_, tick) => lostTicks.includes(tick),
        });
        world.runToEnd();
        expect(world.state.stopped).toBeNull();
        expect(acceptedRows(world)).toBe(Number(at));
        expect(world.desired).toBe(0);
        expect(world.alive).toEqual([]);
        expect([...world.decrements.values()].every((count) => count <= 1)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});
