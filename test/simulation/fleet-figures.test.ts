import { describe, expect, it } from 'vitest';
import { emptyFleet } from '../../orchestrator/fleet/empty-fleet.ts';
import { BOOT_SECONDS, LargeFleet, type LargeRun, runLarge, type Tick } from './large-run.ts';
import { TokenBucket } from './token-bucket.ts';

const WORKERS = 1_000;
/**
 * Auto Scaling does not say what it allows. These are the figures of EC2's read-only calls, the nearest that are known:
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
const MOST_TOKENS = 100;
const TOKENS_PER_SECOND = 20;
/** The time that the allowance leaves for 1,000 calls if not one token is wasted: 45 s. */
const IDEAL_SECONDS = (WORKERS - MOST_TOKENS) / TOKENS_PER_SECOND;

describe('a simulated run of 1,000 instances', { timeout: 300_000 }, () => {
  it('asks AWS twice per tick, sometimes three times, and ends every instance within two ticks', {
    tags: 'long',
  }, async () => {
    const fleet = new LargeFleet({ workers: WORKERS, launchesPerSecond: 50 });
    // Ranges take 10 to 49 s each, four for every worker.
    const seconds = Array.from({ length: 4 * WORKERS }, (_, i) => 10 + (i % 40));
    const run = await runLarge(fleet, { workers: WORKERS }, seconds);
    expect(run.rowsRead).toBe(run.rowsPlanned);
    expect(fleet.group.live).toEqual([]);

    expect(most(run, 'at work', LOOKS)).toBe(3);
    expect(mean(run, 'at work', LOOKS)).toBeLessThan(2.5);
    // The run reads its launches page by page every 15 s, until no instance is missing.
    expect(most(run, 'launching', LOOKS)).toBeLessThanOrEqual(2 + 10);
    expect(mean(run, 'launching', LOOKS)).toBeLessThan(4);
    expect(most(run, 'at rest', LOOKS)).toBeLessThanOrEqual(3);

    const tickMs = longestTickMs(run, 'at work');
    const lastMs = fleet.lastTerminationMs - fleet.workers.lastEndMs;
    expect(lastMs).toBeGreaterThan(0);
    expect(lastMs).toBeLessThan(2 * tickMs);
    expect(terminations(fleet)).toHaveLength(WORKERS);
    expect(fleet.aws.mostUnderWay).toBeLessThanOrEqual(SOCKETS);
  });

  it('ends all instances as fast as AWS allows, and stops calling as soon as it is throttled', {
    tags: 'long',
  }, async () => {
    const bucket = new TokenBucket(MOST_TOKENS, TOKENS_PER_SECOND);
    const fleet = new LargeFleet({ workers: WORKERS, bucket });
    // All workers end at the same moment.
    const run = await runLarge(
      fleet,
      { workers: WORKERS },
      Array.from({ length: WORKERS }, () => 20),
    );
    expect(run.rowsRead).toBe(run.rowsPlanned);
    expect(fleet.group.live).toEqual([]);

    const seconds = (fleet.lastTerminationMs - fleet.workers.lastEndMs) / 1_000;
    expect(seconds).toBeLessThan(1.3 * IDEAL_SECONDS);
    expect(new Set(terminations(fleet)).size).toBe(WORKERS);
    expect(terminations(fleet)).toHaveLength(WORKERS);
    const refused = run.ticks.map(({ calls }) => calls.filter(({ isThrottled }) => isThrottled).length);
    expect(Math.max(...refused)).toBeGreaterThan(0);
    expect(Math.max(...refused)).toBeLessThanOrEqual(SOCKETS);
    expect(
      fleet.aws.calls.filter(({ action, isThrottled }) => isThrottled && action.startsWith('Describe')),
    ).toEqual([]);
  });
});

describe('a simulated fleet of 1,000 instances that nobody drives', { timeout: 300_000 }, () => {
  it.each([
    { named: 'within seconds', bucket: undefined, mostSeconds: 6 },
    {
      named: 'as fast as AWS lets it',
      bucket: new TokenBucket(MOST_TOKENS, TOKENS_PER_SECOND),
      mostSeconds: 1.5 * IDEAL_SECONDS,
    },
  ])('is ended $named, with one call per instance', async ({ bucket, mostSeconds }) => {
    const fleet = new LargeFleet({ workers: WORKERS, ...(bucket === undefined ? {} : { bucket }) });
    fleet.group.setDesired(WORKERS);
    await fleet.scheduler.run(60_000, () => false);
    const { clock, scheduler } = fleet;
    const beganMs = scheduler.nowMs;
    const { signal } = new AbortController();
    const { found } = await fleet.until(
      emptyFleet(fleet.fleet, { clock, requireHeld: () => {}, signal, quietMs: 15_000 }),
    );
    expect(found).toHaveLength(WORKERS);
    expect(fleet.group.live).toEqual([]);
    expect((fleet.lastTerminationMs - beganMs) / 1_000).toBeLessThan(mostSeconds);
    expect(terminations(fleet)).toHaveLength(WORKERS);
    expect(fleet.aws.mostUnderWay).toBeLessThanOrEqual(SOCKETS);
  });
});

describe('a simulated run of eight workers on ranges of very different size', () => {
  it('costs at most a tenth more than the work and the boots, even if one worker is lost', {
    tags: 'long',
  }, async () => {
    const workers = 8;
    const fleet = new LargeFleet({ workers });
    // The first range is more than one worker's share. The last ones take half a minute.
    const seconds = Array.from({ length: 64 }, (_, i) => 1_800 / (i + 1) ** 0.9);
    fleet.scheduler.after(700_000, () => fleet.lose('i-3'));
    const run = await runLarge(fleet, { workers }, seconds);
    expect(run.rowsRead).toBe(run.rowsPlanned);
    expect(fleet.group.ids).toHaveLength(workers + 1);
    const work = seconds.reduce((sum, each) => sum + each, 0);
    const least = workers * (work / workers + BOOT_SECONDS);
    expect(run.billedSeconds).toBeGreaterThan(least);
    expect(run.billedSeconds).toBeLessThan(1.1 * least);
  });
});

/** The sockets of one SDK client. A call that waits too long for one fails as if it could not connect. */
const SOCKETS = 50;

const LOOKS = /^(Describe|Get)/;

function counts({ ticks }: LargeRun, part: Tick['part'], actions: RegExp): number[] {
  return ticks
    .filter((tick) => tick.part === part)
    .map(({ calls }) => calls.filter(({ action }) => actions.test(action)).length);
}

function most(...args: Parameters<typeof counts>): number {
  return Math.max(...counts(...args));
}

function mean(...args: Parameters<typeof counts>): number {
  const all = counts(...args);
  return all.reduce((sum, count) => sum + count, 0) / all.length;
}

function longestTickMs({ ticks }: LargeRun, part: Tick['part']): number {
  return Math.max(
    ...ticks.flatMap(({ atMs, part: own }, i) =>
      own === part && i > 0 ? [atMs - (ticks[i - 1]?.atMs ?? 0)] : [],
    ),
  );
}

/** The instances of all calls that were admitted. */
function terminations(fleet: LargeFleet): string[] {
  return fleet.aws.calls.flatMap(({ instance, isThrottled }) =>
    instance === null || isThrottled ? [] : [instance],
  );
}
