import fc from 'fast-check';
import { expect, inject, it } from 'vitest';
import { type CrashPoint, crash, isChange, pointsOf, writtenIn } from '../support/crash-points.ts';
import { type CrashWorld, crashWorlds, expectWhole, tryAll, within } from '../support/crash-world.ts';
import { resultOf } from '../support/run-command.ts';
import { stateOf } from '../support/run-journal.ts';

/**
 * A run that is killed at one of its durable effects, then given again. Right behind every effect of the phases other
 * than reindex it is tried (what stands then is what stands right before the next one), and at a choice of the rest.
 * CRASH_POINTS=all tries them all, on the real search node too; a number, so many. CRASH_SEED repeats a choice.
 */

const worlds = crashWorlds();
const WANTED = process.env['CRASH_POINTS'] ?? '';
const ALL = WANTED === 'all';
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const COUNT_OF_REST = 12;
const RUN = ['run', '--run-key', 'k'] as const;

interface Effects {
  readonly journal: number;
  readonly cluster: number;
  /** The numbers of the journal's objects that belong to reindex. */
  readonly reindex: ReadonlySet<number>;
}

it('a run that is killed anywhere is finished by the same command on the development node', {
  timeout: 900_000,
}, async () => {
  const points = await choosePoints(inject('developmentUrl'));

  const died = await crashAll(inject('developmentUrl'), points);

  // A point in reindex may not come: how often it writes depends on when workers are looked at.
  expect(died).toBeGreaterThan(points.length * 0.9);
});

it.skipIf(inject('searchUrl') === null)(
  'a run that is killed anywhere is finished by the same command on OpenSearch',
  { timeout: 1_800_000 },
  async () => {
    const searchUrl = inject('searchUrl') ?? '';
    const points = await choosePoints(searchUrl);

    const chosen = ALL ? points : sample(points, 6);

    expect(await crashAll(searchUrl, chosen)).toBeGreaterThan(0);
  },
);

async function choosePoints(searchUrl: string): Promise<CrashPoint[]> {
  const effects = await within((scope) => worlds.open(scope, searchUrl).then(countEffects));
  const all = [...pointsOf('journal', effects.journal), ...pointsOf('cluster', effects.cluster)];
  const isAlways = ({ effect, nth, when }: CrashPoint): boolean =>
    when === 'after' && (effect === 'cluster' || !effects.reindex.has(nth));
  const [always, rest] = [all.filter(isAlways), all.filter((point) => !isAlways(point))];
  if (ALL) return all;
  return Number(WANTED) > 0 ? sample(all, Number(WANTED)) : [...always, ...sample(rest, COUNT_OF_REST)];
}

/** What a run does that nobody kills. */
async function countEffects(world: CrashWorld): Promise<Effects> {
  let changes = 0;
  world.proxy.beforeCall = (call) => {
    if (isChange(call)) changes += 1;
    return Promise.resolve(true);
  };
  await expectWhole(world, resultOf(await world.setup.run(...RUN)));
  const written = await writtenIn(world.setup);
  const indexOf = (event: string): number => written.findIndex((says) => says.includes(event));
  const [first, last] = [indexOf('phase_started reindex'), indexOf('phase_finished reindex')];
  const reindex = Array.from({ length: last - first - 1 }, (_, i) => first + 2 + i);
  return { journal: written.length, cluster: changes, reindex: new Set(reindex) };
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
