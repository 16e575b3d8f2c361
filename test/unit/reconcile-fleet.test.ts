import { describe, expect, it } from 'vitest';
import { instanceUse } from '../../orchestrator/reconcile/account-instances.ts';
import type { Effect } from '../../orchestrator/reconcile/draft.ts';
import { passFiguresOf } from '../../orchestrator/report/progress.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import {
  acceptedRows,
  type Behaviour,
  evenRanges,
  NO_CAPACITY,
  TEST_LIMITS,
  VirtualWorld,
} from '../support/virtual-world.ts';

const CAPACITY_TIMEOUT_MS = 60_000;

describe('capacity that does not come', () => {
  it('is awaited until a deadline, then the pass goes on with what came and asks for no more', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 4, minimum: 2, capacityTimeoutMs: CAPACITY_TIMEOUT_MS },
    });
    world.capacity = 2;
    world.runToEnd();
    expect(acceptedRows(world)).toBe(4_000);
    expect(world.workers).toHaveLength(2);
    const limited = world.events.filter(({ type }) => type === 'capacity_limited');
    expect(limited).toEqual([
      {
        type: 'capacity_limited',
        workers: 2,
        reason: `2 of 4 instances came within 60 s: ${NO_CAPACITY.reason}`,
      },
    ]);
    expect(desiredCalls(world)).toEqual([4, 2, 0]);
  });

  it('is used when it comes before the deadline', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(60, 100),
      limits: { workers: 4, minimum: 2, capacityTimeoutMs: CAPACITY_TIMEOUT_MS },
    });
    world.capacity = 2;
    for (let tick = 1; tick <= 40; tick += 1) world.tick(tick);
    world.capacity = 4;
    world.runToEnd();
    expect(world.workers).toHaveLength(4);
    expect(world.events.some(({ type }) => type === 'capacity_limited')).toBe(false);
  });

  it('ends the run at zero with the cloud’s words when it is below the minimum, and a new start tries again', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(400, 100),
      limits: { workers: 4, minimum: 3, capacityTimeoutMs: CAPACITY_TIMEOUT_MS },
    });
    world.capacity = 2;
    world.runToEnd();
    expect(world.state.stopped).toBe(
      `2 of 4 instances came within 60 s: ${NO_CAPACITY.reason}; workers.minimum asks for 3`,
    );
    expect(world.desired).toBe(0);
    expect(world.alive).toEqual([]);
    expect(acceptedRows(world)).toBeGreaterThan(0);

    world.capacity = 4;
    world.state = applyEvents(world.state, [{ type: 'pass_resumed' }]);
    world.runToEnd();
    expect(world.state.stopped).toBeNull();
    expect(acceptedRows(world)).toBe(40_000);
  });

  it('ends the run when no instance came at all, whatever the minimum says', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 100),
      limits: { minimum: 1, capacityTimeoutMs: CAPACITY_TIMEOUT_MS },
    });
    world.capacity = 0;
    world.runToEnd();
    expect(world.state.stopped).toMatch(/^0 of 4 instances came within 60 s: InsufficientInstanceCapacity/);
  });

  it('is noticed when the group’s maximum is lowered in the middle of a run', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(60, 100),
      limits: { workers: 4, minimum: 2, capacityTimeoutMs: CAPACITY_TIMEOUT_MS },
      behaviours: [{ diesAt: 40 }, { diesAt: 40 }],
    });
    for (let tick = 1; tick <= 20; tick += 1) world.tick(tick);
    world.maximum = 2;
    world.desired = 2;
    world.runToEnd();
    expect(world.state.stopped).toBeNull();
    expect(acceptedRows(world)).toBe(6_000);
    expect(world.events.filter(({ type }) => type === 'capacity_limited')).toMatchObject([{ workers: 2 }]);
  });

  it('is not reported when lost instances are replaced in time', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(100, 100),
      limits: { workers: 2, capacityTimeoutMs: CAPACITY_TIMEOUT_MS },
      behaviours: [{ diesAt: 50 }, { diesAt: 90 }],
    });
    world.runToEnd();
    expect(world.events.some(({ type }) => type === 'capacity_limited')).toBe(false);
    expect(acceptedRows(world)).toBe(10_000);
  });
});

describe('a fleet that no longer matches the pin of the run', () => {
  const FAULT = 'the image parameter is at version 7, this run is pinned to version 6';

  it('launches no more instances, and the run goes on with those it has', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(60, 100),
      limits: { workers: 3 },
      behaviours: [{}, { diesAt: 60 }],
    });
    for (let tick = 1; tick <= 30; tick += 1) world.tick(tick);
    world.launchFault = FAULT;
    world.runToEnd();
    expect(acceptedRows(world)).toBe(6_000);
    expect(world.state.stopped).toBeNull();
    // The group is quicker than a look: what it launched in the lost one's place is not kept.
    expect(world.workers.length).toBeLessThanOrEqual(4);
    expect(desiredCalls(world)).not.toContain(4);
  });

  it('gives no work to an instance launched from something else, and releases it', () => {
    const misfit: Behaviour = { misfit: 'its image is ami-2, this run is pinned to ami-1' };
    const world = new VirtualWorld({
      ranges: evenRanges(20, 100),
      limits: { workers: 2 },
      behaviours: [misfit],
    });
    world.runToEnd();
    expect(world.workers[0]?.tasks).toEqual([]);
    expect(world.state.terminations['w1']).toMatchObject({ decrement: false, reason: misfit.misfit });
    expect(acceptedRows(world)).toBe(2_000);
  });

  it('releases a surplus instance without counting it twice', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(3, 400),
      limits: { workers: 3, shareLeastMs: 3_600_000 },
      behaviours: [{ slowness: 3 }, { slowness: 3 }, {}],
    });
    for (let tick = 1; tick <= 10; tick += 1) world.tick(tick);
    world.launchFault = FAULT;
    world.runToEnd();
    const decremented = world.effects.filter(({ effect }) => effect.type === 'terminate' && effect.decrement);
    expect(decremented.length).toBeGreaterThan(0);
    const ticks = new Set(decremented.map(({ atMs }) => atMs));
    const said = world.effects.filter(({ effect, atMs }) => effect.type === 'set_desired' && ticks.has(atMs));
    expect(said).toEqual([]);
  });

  it('ends the run at zero with what to do when no instance is left', () => {
    const world = new VirtualWorld({ ranges: evenRanges(10, 100) });
    world.launchFault = FAULT;
    world.runToEnd();
    expect(world.state.stopped).toBe(`${FAULT}; no worker of this run is left`);
    expect(world.workers).toEqual([]);
  });
});

describe('the instance seconds of a run', () => {
  it('are counted from launch to end, for each instance that ever existed', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 2 },
      behaviours: [{ diesAt: 30 }],
    });
    world.runToEnd();
    const lived = world.workers.reduce(
      (sum, { launchedMs, endedMs }) => sum + ((endedMs ?? 0) - launchedMs) / 1000,
      0,
    );
    const use = instanceUse(world.state, new Date(world.nowMs).toISOString(), TEST_LIMITS.billing);
    const short = world.workers.filter(({ launchedMs, endedMs }) => (endedMs ?? 0) - launchedMs < 60_000);
    const rounded = short.reduce(
      (sum, { launchedMs, endedMs }) => sum + 60 - ((endedMs ?? 0) - launchedMs) / 1000,
      0,
    );
    expect(use).toEqual({ seconds: lived + rounded, instances: world.workers.length, exact: true });
  });

  it('are an upper bound when an instance was only found gone', () => {
    const world = new VirtualWorld({ ranges: evenRanges(2, 100), limits: { workers: 1 }, showsEnded: false });
    world.runToEnd();
    const use = instanceUse(world.state, new Date(world.nowMs).toISOString(), TEST_LIMITS.billing);
    expect(use).toMatchObject({ instances: 1, exact: false });
  });

  it('stop for an instance that a new process does not find, and go on when it shows up again', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 2 },
      showsEnded: false,
    });
    const old = { type: 'instance_launched', instance: 'i-old', at: new Date(0).toISOString() } as const;
    const late = { ...old, instance: 'w1', at: new Date(-30_000).toISOString() };
    const missed = { type: 'instance_ended', instance: 'w1', at: old.at, seen: false } as const;
    world.state = applyEvents(world.state, [old, late, missed]);
    for (let tick = 1; tick <= 200; tick += 1) world.tick(tick);
    expect(world.state.instances.get('i-old')).toMatchObject({ endedAt: old.at, seen: false });
    expect(world.state.instances.get('w1')).toMatchObject({ endedAt: null, seen: true });
  });

  it('never stop a run that has nothing left to do', () => {
    const pass = (mostInstanceSeconds: number | null): VirtualWorld => {
      const limits = { workers: 2, mostInstanceSeconds };
      const world = new VirtualWorld({ ranges: evenRanges(40, 100), limits });
      world.runToEnd();
      return world;
    };
    const whole = pass(null);
    const { seconds } = instanceUse(whole.state, new Date(whole.nowMs).toISOString(), TEST_LIMITS.billing);
    for (let most = seconds - 20; most <= seconds; most += 1) {
      const world = pass(most);
      expect([most, world.state.stopped === null]).toEqual([most, acceptedRows(world) === 4_000]);
    }
  });

  it('end the run at zero when they reach --max-cost, and a resume keeps what is settled', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 2, mostInstanceSeconds: 300 },
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(/--max-cost allows no more/);
    expect(world.alive).toEqual([]);
    const kept = acceptedRows(world);
    expect(kept).toBeGreaterThan(1_000);

    const more = new VirtualWorld({ ranges: evenRanges(40, 100), limits: { workers: 2 } });
    more.state = applyEvents(world.state, [{ type: 'pass_resumed' }]);
    more.runToEnd();
    expect(acceptedRows(more)).toBe(4_000);
  });
});

describe('a worker that is not ready in time', () => {
  it.each<[string, Behaviour, RegExp]>([
    [
      'never answered',
      { silentAt: 0 },
      /^no worker has answered at its address for 61 s \(ECONNREFUSED\): look at its log, and check that the network lets the orchestrator through to that port$/,
    ],
    [
      'answers, but reaches nothing',
      { unreachable: ['database', 'cluster'] },
      /^it answers, but has not been ready for 61 s: it cannot reach its database and its cluster; look at its log$/,
    ],
    [
      'answers, and does not say what it lacks',
      { neverReady: true },
      /^it answers, but has not been ready for 61 s; look at its log$/,
    ],
    [
      'has answered',
      { neverReady: true, silentAt: 40 },
      /^it has not been ready for 61 s and has not answered for 2\d s \(ECONNREFUSED\): look at its log$/,
    ],
  ])('is replaced with a reason that says what is known when it %s', (_, behaviour, reason) => {
    const world = new VirtualWorld({
      ranges: evenRanges(4, 400),
      limits: { workers: 1 },
      behaviours: [behaviour],
    });
    world.runToEnd();
    expect(world.state.terminations['w1']).toMatchObject({
      replaced: true,
      reason: expect.stringMatching(reason),
    });
    expect(acceptedRows(world)).toBe(1_600);
  });

  it('is shown as starting, not as idle', () => {
    const unready: Behaviour = { unreachable: ['database'] };
    const behaviours = [{}, unready, unready];
    const world = new VirtualWorld({ ranges: evenRanges(8, 400), limits: { workers: 3 }, behaviours });
    for (let tick = 1; tick <= 10; tick += 1) world.tick(tick);
    const { workers } = passFiguresOf(world.state, world.memory, world.observation, null);
    expect(workers).toEqual({ working: 1, idle: 0, starting: 2 });
  });
});

describe('replacements that are used up', () => {
  it('end the run with the reason for the last replacement', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 2, replacements: 2 },
      behaviours: Array.from({ length: 20 }, (): Behaviour => ({ unreachable: ['cluster'] })),
    });
    world.runToEnd();
    expect(world.state.stopped).toMatch(
      /^no worker is left and 2 replacements are used up; worker w\d was replaced because it answers, but has not been ready for \d+ s: it cannot reach its cluster; look at its log$/,
    );
  });

  it('end the run with the number of workers that ended before they were ready, and where to look', () => {
    const world = new VirtualWorld({
      ranges: evenRanges(40, 100),
      limits: { workers: 1, replacements: 2 },
      behaviours: Array.from({ length: 20 }, (): Behaviour => ({ diesAt: 1 })),
      showsEnded: false,
    });
    world.runToEnd();
    expect(world.state.stopped).toBe(
      'no worker is left and 2 replacements are used up; 3 workers ended by themselves before they were ready: look at their logs',
    );
  });

  it('are not requested again, even when the call that lowers the desired capacity was lost', () => {
    const good: Behaviour = {};
    const never: Behaviour = { neverReady: true };
    const lost = { desired: 0 };
    const world = new VirtualWorld({
      ranges: evenRanges(400, 100),
      limits: { workers: 2, replacements: 1 },
      behaviours: [good, ...Array.from({ length: 50 }, () => never)],
      // The first word after the one that began the pass.
      loseEffects: (effect) => effect.type === 'set_desired' && (lost.desired += 1) === 2,
    });
    world.runToEnd();
    expect(lost.desired).toBeGreaterThan(2);
    expect(acceptedRows(world)).toBe(40_000);
    expect(world.workers.length).toBeLessThanOrEqual(5);
  });
});

describe('a run that is resumed with fewer workers', () => {
  it('asks for no more than the new number, even if it had asked for more before', () => {
    const ranges = evenRanges(40, 100);
    const before = new VirtualWorld({ ranges, limits: { workers: 4 } });
    for (let tick = 1; tick <= 20; tick += 1) before.tick(tick);
    expect(before.state.desired).toBe(4);
    const world = new VirtualWorld({ ranges, limits: { workers: 2 } });
    world.state = applyEvents(before.state, [{ type: 'pass_resumed' }]);
    world.runToEnd();
    expect(desiredCalls(world)).toEqual([2, 0]);
    expect(world.workers).toHaveLength(2);
  });
});

/** What was asked of the group, without what was said again. */
function desiredCalls(world: VirtualWorld): number[] {
  const counts = world.effects.flatMap(({ effect }: { effect: Effect }) =>
    effect.type === 'set_desired' ? [effect.count] : [],
  );
  return counts.filter((count, i) => count !== counts[i - 1]);
}
