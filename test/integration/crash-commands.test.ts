import { describe, expect, inject, it } from 'vitest';
import { type CrashPoint, crash, pointsOf } from '../support/crash-points.ts';
import { type CrashWorld, crashWorlds, expectFree, expectWhole } from '../support/crash-world.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { stateOf } from '../support/run-journal.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** Commands beside `run` that are killed at their durable effects, then given again. */

const worlds = crashWorlds();
const KEY = ['--run-key', 'k'] as const;

function open(scope: Parameters<typeof worlds.open>[0], retain?: number): Promise<CrashWorld> {
  return worlds.open(scope, inject('developmentUrl'), retain);
}

/** Of a command that has ended by itself there is nothing left to try. */
function crashCommand({ setup, proxy }: CrashWorld, point: CrashPoint, name: string): Promise<boolean> {
  return crash(setup, proxy, point, () => setup.start(name, ...KEY));
}

/** The alias was moved, though the journal does not say so yet. */
async function expectNotAbandoned({ setup }: CrashWorld): Promise<void> {
  expect(errorOf(await setup.run('abandon'), 1)).toContain('has moved the alias already');
}

describe('a command that is killed and given again', { timeout: 120_000 }, () => {
  // Lock, journal, claim; two deletions, and the claim on the alias.
  sampled([...pointsOf('cluster', 3), ...pointsOf('journal', 3)], 1)(
    'leaves the earlier index alone on the alias and the fleet free when it is abandon, killed $when effect $nth on its $effect',
    async (point, scope) => {
      const world = await open(scope);
      for (const phase of ['claim', 'create-index']) resultOf(await world.setup.run(phase, ...KEY));
      expect(await crashCommand(world, point, 'abandon')).toBe(true);

      expect(resultOf(await world.setup.run('abandon', ...KEY))).toMatchObject({
        status: 'abandoned',
        run_key: 'k',
      });

      expect(await world.setup.indexes()).toEqual([world.earlier]);
      expect(await world.setup.served()).toEqual([world.earlier]);
      expect((await stateOf(world.setup))?.abandoned).toBe(true);
      await expectFree(world);
    },
  );

  // Lock and journal; the claim on the alias, the alias, a note on the index that it comes back to, the claim's end.
  sampled([...pointsOf('cluster', 4), ...pointsOf('journal', 2)], 2)(
    'leaves the alias where it was before the promotion when it is rollback, killed $when effect $nth on its $effect',
    async (point, scope) => {
      const world = await open(scope, 1);
      const { index } = onlyTarget(resultOf(await world.setup.run('run', ...KEY)));
      expect(await crashCommand(world, point, 'rollback')).toBe(true);

      expect(resultOf(await world.setup.run('rollback', ...KEY))).toMatchObject({
        status: 'rolled back',
        targets: [{ left: index, restored: [world.earlier] }],
      });

      expect(await world.setup.served()).toEqual([world.earlier]);
      expect((await stateOf(world.setup))?.rolledBack).toMatchObject({ targets: [{ left: index }] });
      await expectFree(world);
    },
  );
});

it('each phase command that is killed in its middle succeeds when given again, and the claim holds in between', {
  timeout: 300_000,
  tags: 'long',
}, async (scope) => {
  const world = await open(scope);
  const { setup } = world;
  const middles: readonly (readonly [string, CrashPoint])[] = [
    ['claim', { effect: 'journal', nth: 2, when: 'after' }],
    ['create-index', { effect: 'cluster', nth: 1, when: 'after' }],
    ['reindex', { effect: 'journal', nth: 4, when: 'after' }],
    ['finalize', { effect: 'cluster', nth: 3, when: 'before' }],
    ['validate', { effect: 'journal', nth: 2, when: 'after' }],
    // A trial alias comes and goes before.
    ['promote', { effect: 'cluster', nth: 3, when: 'after' }],
    ['retain', { effect: 'cluster', nth: 1, when: 'before' }],
  ];
  /** Another key is told at once, by command or phase. */
  const expectHeld = async (name: string): Promise<void> => {
    const other = await setup.run(name, '--run-key', 'other');
    expect(errorOf(other, 3)).toMatch(
      new RegExp(`run with key k \\(alias ${setup.alias}\\) has held the fleet since \\d{4}-\\d\\d-\\d\\dT`),
    );
    expect(other.stderr).not.toContain('waiting for the lock');
  };

  for (const [phase, middle] of middles) {
    expect(await crashCommand(world, middle, phase)).toBe(true);
    await expectHeld('run');
    if (phase === 'promote') await expectNotAbandoned(world);
    expect(resultOf(await setup.run(phase, ...KEY))).toMatchObject({ status: 'unfinished' });
    await expectHeld(phase);
  }
  // With its result recorded the run holds nobody up, also when it was killed right there.
  expect(await crashCommand(world, { effect: 'journal', nth: 3, when: 'after' }, 'release')).toBe(true);
  await expectWhole(world, resultOf(await setup.run('release', ...KEY)));
});
