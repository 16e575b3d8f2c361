import { describe, expect, it } from 'vitest';
import { acceptedRows, type Behaviour, evenRanges, VirtualWorld } from '../support/virtual-world.ts';

/** Four workers, the last of them four times as slow, and two ranges each. */
function slowWorld(options: Partial<ConstructorParameters<typeof VirtualWorld>[0]> = {}): VirtualWorld {
  return new VirtualWorld({
    ranges: evenRanges(8, 4_000),
    keysPerTick: 40,
    limits: { workers: 4, shareLeastMs: 2_000, stallTimeoutMs: 120_000 },
    behaviours: [{}, {}, {}, { slowness: 4 }],
    ...options,
  });
}

const IDEAL_TICKS = (8 * 4_000) / (40 * 3.25);

function cutsOf(world: VirtualWorld): { intended: number; cut: number; refused: number } {
  const count = (type: string): number => world.events.filter((event) => event.type === type).length;
  return { intended: count('cut_intended'), cut: count('cut'), refused: count('cut_refused') };
}

function expectWhole(world: VirtualWorld): void {
  expect(world.state.stopped).toBeNull();
  expect(acceptedRows(world)).toBe(8 * 4_000);
  expect(world.alive).toEqual([]);
}

describe('the rest of a running range', () => {
  it('is given to idle workers, so that all workers end at about the same time', () => {
    const world = slowWorld();
    const ticks = world.runToEnd();
    expectWhole(world);
    expect(cutsOf(world).cut).toBeGreaterThan(0);
    expect(ticks / IDEAL_TICKS).toBeLessThan(1.2);
  });

  it('is given away even when the idle worker needs only a moment for it', () => {
    // 600 keys: a minute for the slow worker, and a second and a half for the other.
    const world = slowWorld({
      ranges: evenRanges(2, 600),
      keysPerTick: 400,
      limits: { workers: 2, shareLeastMs: 4_000 },
      behaviours: [{}, { slowness: 40 }],
    });
    world.runToEnd();
    expect(acceptedRows(world)).toBe(1_200);
    expect(cutsOf(world).cut).toBeGreaterThan(0);
  });

  it('stays with its worker when cutting is not worth it', () => {
    const world = slowWorld({ limits: { workers: 4, shareLeastMs: 600_000 } });
    world.runToEnd();
    expectWhole(world);
    expect(cutsOf(world)).toEqual({ intended: 0, cut: 0, refused: 0 });
  });

  it('is cut even when every second call about it is lost', () => {
    const world = slowWorld({ loseEffects: (effect, tick) => effect.type === 'cut_task' && tick % 2 === 0 });
    world.runToEnd();
    expectWhole(world);
    expect(cutsOf(world).cut).toBeGreaterThan(0);
  });

  it.each<[string, Behaviour]>([
    ['dies', { slowness: 4, diesAt: 215 }],
    ['answers no more', { slowness: 4, silentAt: 215 }],
  ])('goes back as a whole when its worker %s before the cut is seen', (_, behaviour) => {
    const world = slowWorld({
      behaviours: [{}, {}, {}, behaviour],
      loseEffects: (effect, tick) => effect.type === 'cut_task' && tick < 260,
    });
    world.runToEnd();
    expectWhole(world);
    expect(cutsOf(world).intended).toBeGreaterThan(0);
  });

  it('is taken from the queue of a busy worker before a running task is cut', () => {
    const world = slowWorld({ ranges: evenRanges(16, 2_000), behaviours: [{}, {}, {}, { slowness: 8 }] });
    world.runToEnd();
    const takenBack = world.events.filter(
      (event) => event.type === 'settled' && event.reason?.startsWith('cancelled') === true,
    );
    expect(takenBack.length).toBeGreaterThan(0);
    expectWhole(world);
  });

  it('is refused from a task that ended at a key that nobody asked for', () => {
    const world = slowWorld({ behaviours: [] });
    for (let tick = 1; tick <= 10; tick += 1) world.tick(tick);
    const task = world.workers[0]?.tasks[0];
    if (task === undefined) throw new Error('no task was posted');
    task.status = { ...task.status, active: false, end_index: '17' };
    world.runToEnd();
    expectWhole(world);
    expect(world.state.terminations['w1']?.reason).toMatch(/ended task .* at 17, but its range ends at \d+/);
  });

  it('is refused from a worker that contradicts its earlier progress', () => {
    const world = slowWorld({ behaviours: [] });
    for (let tick = 1; tick <= 10; tick += 1) world.tick(tick);
    const task = world.workers[0]?.tasks[0];
    if (task === undefined) throw new Error('no task was posted');
    task.at = task.start;
    world.runToEnd();
    expectWhole(world);
    expect(world.state.terminations['w1']?.reason).toMatch(/contradicted its earlier reports/);
  });
});
