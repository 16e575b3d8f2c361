import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { type CrashPoint, crash, pointsOf } from '../support/crash-points.ts';
import { crashWorlds, expectFree } from '../support/crash-world.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentsOf } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import { rangesDone, stateOf } from '../support/run-journal.ts';
import { setUpRun, type TestScope } from '../support/run-setup.ts';
import { gatedPlaces, PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** The definition is at fault, and is mended; or it is broken when a run must be ended. */

const KEY = ['--run-key', 'k'] as const;
const worlds = crashWorlds();
const database = placesDatabase();

function open(scope: TestScope) {
  return worlds.open(scope, inject('developmentUrl'));
}

describe('a run whose definition was mended', { timeout: 120_000 }, () => {
  const CREATED: CrashPoint = { effect: 'cluster', nth: 4, when: 'after' };
  // Of the earlier run: two deletions, its claim on the alias, its end in journal and claim. Then the new run's first objects.
  sampled([...pointsOf('cluster', 6), ...pointsOf('journal', 7)], 1)(
    'begins anew with --restart under its key, though it is killed $when effect $nth on its $effect',
    async (point, scope) => {
      const world = await open(scope);
      const { setup, proxy } = world;
      await crash(setup, proxy, CREATED, () => setup.start('run', ...KEY));
      await setup.redefine({ document: { name: 'upper(few.name)' }, retain: 0 });
      expect(errorOf(await setup.run('run', ...KEY), 1)).toContain('reindex-fleet run --run-key k --restart');

      await crash(setup, proxy, point, () => setup.start('run', ...KEY, '--restart'));
      const result = resultOf(await setup.run('run', ...KEY, '--restart'));

      const index = String(onlyTarget(result)['index']);
      expect(result).toMatchObject({ status: 'done', run_key: 'k', targets: [{ indexed: 40 }] });
      expect(await setup.served()).toEqual([index]);
      expect(await setup.indexes()).toEqual([index, `${index}-dead-letters`]);
      expect(await documentsOf(index, world.searchUrl)).toMatchObject({ 1: { name: 'PLACE 1' } });
      await expectFree(world);
      expect(resultOf(await setup.run('run', ...KEY, '--restart'))).toEqual({
        ...result,
        finished_before: true,
      });
    },
  );

  const LIMITS = [
    ['promote_limit', { promote_limit: 0 }],
    ['stop_limit', { promote_limit: 0, stop_limit: 0 }],
  ] as const;
  sampled(LIMITS, 1)(
    'was told one of the rows that were over %s and the command that begins it anew, and that command works',
    async ([limit, limits], scope) => {
      const { setup } = await open(scope);
      const document = { broken: '1 / (few.id - 7)' };
      await setup.redefine({ document, dead_letters: limits });
      const told = errorOf(await setup.run('run', ...KEY), 1);
      expect(told).toContain(
        `more than ${limit === 'stop_limit' ? "the definition's stop_limit of 0" : 'promote_limit 0'}`,
      );
      expect(told).toContain('One of them is the row of key 7: 22012: The field "broken" cannot be computed');
      expect(told).toContain(
        'If the definition is the cause, mend it and give `reindex-fleet run --run-key k --restart`.',
      );

      await setup.redefine({ document: { broken: '1 / (few.id + 7)' } });
      expect(resultOf(await setup.run('run', ...KEY, '--restart'))).toMatchObject({
        status: 'done',
        run_key: 'k',
      });
    },
  );

  it('stays as it is when the mended definition has a fault that the database finds', async (scope) => {
    const { setup, proxy } = await open(scope);
    await crash(setup, proxy, CREATED, () => setup.start('run', ...KEY));
    const before = await setup.indexes();
    await setup.redefine({ document: { name: 'few.nane' } });

    expect(errorOf(await setup.run('run', ...KEY, '--restart'), 1)).toContain('few.nane');

    expect(await setup.indexes()).toEqual(before);
    expect(resultOf(await setup.run('status'))).toMatchObject({ held_by: 'k' });
    await setup.redefine({});
    expect(resultOf(await setup.run('run', ...KEY))).toMatchObject({ status: 'done' });
  });

  it('begins anew after a live process lost its lock, and that process writes nothing more', async (scope) => {
    const { gate, definition } = await gatedPlaces(scope, database.url());
    const setup = await setUpRun(scope, {
      databaseUrl: database.url(),
      searchUrl: inject('developmentUrl'),
      definition,
      settings: { ranges: { count: 4 }, journal: { lease_ms: 1_500 } },
    });
    await gate.shut();
    const paused = setup.start('run', ...KEY);
    await rangesDone(setup, 2);
    const old = (await setup.indexes())[0];
    paused.child.kill('SIGSTOP');
    await setup.redefine({ ...PLACES });
    const result = resultOf(await setup.run('run', ...KEY, '--restart'));
    paused.child.kill('SIGCONT');
    await gate.open();

    expect((await paused.ended).code).toBe(3);
    expect(await setup.indexes()).not.toContain(old);
    expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
    expect(Object.keys(await documentsOf(setup.alias, inject('developmentUrl')))).toHaveLength(ROWS);
    await eventually('no worker lives', async () => (await setup.workers()).length === 0, 5_000);
  });

  it('whose alias has moved is finished without --restart, and keeps its index', {
    tags: 'long',
  }, async (scope) => {
    const { setup } = await open(scope);
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize', 'validate', 'promote'])
      resultOf(await setup.run(phase, ...KEY));
    await setup.redefine({ document: { name: 'upper(few.name)' } });
    expect(errorOf(await setup.run('abandon', ...KEY), 1)).toContain('has moved the alias already');

    const result = resultOf(await setup.run('run', ...KEY, '--restart'));
    expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
    expect(resultOf(await setup.run('status'))).toMatchObject({ status: 'finished', held_by: null });
  });
});

it('an abandoned key runs again in a journal of its own, and status, rollback and sweep know which run is meant', {
  timeout: 120_000,
}, async (scope) => {
  const world = await open(scope);
  const { setup } = world;
  resultOf(await setup.run('claim', ...KEY));
  const first = (await stateOf(setup))?.identity?.run;
  resultOf(await setup.run('abandon', ...KEY));
  resultOf(await setup.run('claim', ...KEY));
  resultOf(await setup.run('abandon', ...KEY));

  await setup.redefine({ retain: 1 });
  const result = resultOf(await setup.run('run', ...KEY));
  expect(result['run']).not.toBe(first);
  expect(resultOf(await setup.run('status', ...KEY))).toMatchObject({
    status: 'finished',
    run: result['run'],
  });
  resultOf(await setup.run('sweep'));
  expect(resultOf(await setup.run('rollback', ...KEY))).toMatchObject({
    targets: [{ left: onlyTarget(result)['index'], restored: [world.earlier] }],
  });
  expect(resultOf(await setup.run('rollback', ...KEY))).toMatchObject({ rolled_back_before: true });
});

describe('in an incident', { timeout: 120_000 }, () => {
  const FAULTS: readonly (readonly [string, (file: string) => Promise<void>])[] = [
    ['is not YAML', (file) => writeFile(file, 'foo: [')],
    ['is gone', (file) => rm(file)],
    ['has changed', (file) => writeFile(file, 'alias: other\nsource: { table: t, key: id }\n')],
  ];

  sampled(FAULTS, 1)(
    'rollback and promote move the alias, and abandon frees the fleet, when the definition $0',
    async ([, breakIt], scope) => {
      const world = await open(scope);
      const { setup } = world;
      await setup.redefine({ retain: 1 });
      const index = String(onlyTarget(resultOf(await setup.run('run', ...KEY)))['index']);
      await breakIt(join(setup.folder, 'places.yaml'));

      expect(resultOf(await setup.run('status'))).toMatchObject({ status: 'finished' });
      resultOf(await setup.run('rollback', ...KEY));
      expect(await setup.served()).toEqual([world.earlier]);
      resultOf(await setup.run('promote', ...KEY));
      expect(await setup.served()).toEqual([index]);

      await setup.redefine({ retain: 1 });
      resultOf(await setup.run('claim', '--run-key', 'next'));
      await breakIt(join(setup.folder, 'places.yaml'));
      resultOf(await setup.run('abandon'));
      await expectFree(world);
    },
  );

  it('status and abandon tell of a fault in a section that they do not need, and work', async (scope) => {
    const { setup } = await open(scope);
    resultOf(await setup.run('claim', ...KEY));
    const wrong = ['--workers', 'many', '--source', 'nowhere'];

    const status = await setup.run('status', ...wrong);
    expect(resultOf(status)).toMatchObject({ held_by: 'k' });
    expect(status.stderr).toMatch(/--workers workers\.count: .* status does not need it/);
    resultOf(await setup.run('abandon', ...wrong));
    expect(errorOf(await setup.run('status', '--fleet', 'Two Words'), 2)).toContain('--fleet');
  });
});
