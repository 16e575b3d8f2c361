import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { type CrashPoint, crash, isChange, pointsOf, writtenIn } from '../support/crash-points.ts';
import { type CrashWorld, crashWorlds, expectWhole, tryAll, within } from '../support/crash-world.ts';
import { resultOf } from '../support/run-command.ts';
import { stateOf } from '../support/run-journal.ts';

/**
 * A run that is killed right before or behind one of its durable effects, then given again. `npm test` tries a choice of
 * these points, which CRASH_SEED repeats; the long tests try them all, a share each.
 */

const worlds = crashWorlds();
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const RUN = ['run', '--run-key', 'k'] as const;
const SHARES = Array.from({ length: 8 }, (_, i) => ({ share: i + 1, of: 8 }));

/** How many durable effects a run has that nobody kills. */
interface Effects {
  readonly journal: number;
  readonly cluster: number;
}

describe.each([
  { name: 'development node', url: inject('developmentUrl'), count: 4 },
  { name: 'OpenSearch', url: inject('searchUrl'), count: 1 },
])('on $name', { timeout: 300_000 }, ({ url, count }) => {
  let counted: Promise<CrashPoint[]> | null = null;
  const allPoints = (): Promise<CrashPoint[]> => (counted ??= pointsOfRun(url ?? ''));

  it.skipIf(url === null)('a run that is killed anywhere is finished by the same command', async () => {
    const points = sample(await allPoints(), count);

    expect(await crashAll(url ?? '', points)).toBeGreaterThan(0);
  });

  it.skipIf(url === null).for(SHARES)(
    'a run is finished by the same command wherever it is killed, share $share of $of',
    { tags: 'long' },
    async ({ share, of }) => {
      const points = (await allPoints()).filter((_, i) => i % of === share - 1);

      const died = await crashAll(url ?? '', points);

      // A point in reindex may not come: how often it writes depends on when workers are looked at.
      expect(died).toBeGreaterThanOrEqual(points.length - 2);
    },
  );
});

async function pointsOfRun(searchUrl: string): Promise<CrashPoint[]> {
  const effects = await within((scope) => worlds.open(scope, searchUrl).then(countEffects));
  return [...pointsOf('journal', effects.journal), ...pointsOf('cluster', effects.cluster)];
}

async function countEffects(world: CrashWorld): Promise<Effects> {
  let changes = 0;
  world.proxy.beforeCall = (call) => {
    if (isChange(call)) changes += 1;
    return Promise.resolve(true);
  };
  await expectWhole(world, resultOf(await world.setup.run(...RUN)));
  const written = await writtenIn(world.setup);
  return { journal: written.length, cluster: changes };
}

function sample(points: readonly CrashPoint[], count: number): CrashPoint[] {
  const subset = fc.shuffledSubarray([...points], { minLength: count, maxLength: count });
  return fc.sample(subset, { seed: SEED, numRuns: 1 })[0] ?? [];
}

/** How many of the points were reached. */
async function crashAll(searchUrl: string, points: readonly CrashPoint[]): Promise<number> {
  const startMs = performance.now();
  let died = 0;
  const failures = await tryAll(points, async (point) => {
    const reached = await within(async (scope) =>
      crashAndCarryOn(await worlds.open(scope, searchUrl), point),
    );
    if (reached) died += 1;
  });
  const seconds = Math.round((performance.now() - startMs) / 1000);
  process.stdout.write(
    `${died} of ${points.length} crash points reached in ${seconds} s, CRASH_SEED=${SEED}\n`,
  );
  expect(failures).toEqual([]);
  return died;
}

async function crashAndCarryOn(world: CrashWorld, point: CrashPoint): Promise<boolean> {
  const { setup, proxy } = world;
  const died = await crash(setup, proxy, point, () => setup.start(...RUN));
  const before = (await stateOf(setup))?.phases ?? {};

  const result = resultOf(await setup.run(...RUN));

  await expectWhole(world, result);
  const after = (await stateOf(setup))?.phases ?? {};
  const done = Object.entries(before).filter(([, { finishedAt }]) => finishedAt !== null);
  expect(after).toMatchObject(Object.fromEntries(done));
  return died;
}
