import { describe, expect, inject, it } from 'vitest';
import { type EndedCommand, errorOf, resultOf } from '../support/run-command.ts';
import { documentsOf } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import { createGate } from '../support/run-gate.ts';
import { isHeld, stateOf } from '../support/run-journal.ts';
import { startProxy } from '../support/run-proxy.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { isChange } from '../support/crash-points.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** Two orchestrators over one fleet: one works, the other waits for its result or is told who works and since when. */

const database = placesDatabase();
const SEARCH = inject('developmentUrl');
/** The lease is long beside a run, so nobody takes over from one that lives on a busy machine. */
const SETTINGS = { workers: { count: 1 }, ranges: { count: 2 }, journal: { lease_ms: 20_000 } };

function setUp(scope: TestScope, target: string, settings = SETTINGS): Promise<RunSetup> {
  return setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl: SEARCH,
    definition: { ...PLACES, retain: 0 },
    settings: { ...settings, target: { url: target } },
  });
}

/** How often a race is run. */
const PAIRS = [2, 8] as const;

describe('started at the same instant', { timeout: 600_000 }, () => {
  sampled(PAIRS, 1)(
    'of one key work once and both return that result, in each of %i pairs',
    async (pairs, scope) => {
      const setup = await setUp(scope, SEARCH);
      for (let pair = 1; pair <= pairs; pair += 1) {
        const key = ['--run-key', `pair ${pair}`];
        const both = await Promise.all([setup.run('run', ...key), setup.run('run', ...key)]);

        const [first, second] = both.map(resultOf);
        expect({ ...first, finished_before: true }).toEqual({ ...second, finished_before: true });
        const repeated = both.filter(({ result }) => result['finished_before'] === true);
        expect(repeated).toHaveLength(1);
        await expectOneIndex(setup, onlyTarget(first ?? {})['index']);
      }
    },
  );

  sampled(PAIRS, 1)(
    'of two keys work once, and the other is told at once which run holds the fleet, in each of %i pairs',
    async (pairs, scope) => {
      const setup = await setUp(scope, SEARCH);
      for (let pair = 1; pair <= pairs; pair += 1) {
        const both = await Promise.all(
          ['a', 'b'].map((name) => setup.run('run', '--run-key', `pair ${pair} ${name}`)),
        );

        const done = both.filter(({ code }) => code === 0);
        expect(done.length).toBeGreaterThan(0);
        for (const ended of both.filter(({ code }) => code !== 0)) expectTold(ended, setup.alias);
        await expectOneIndex(setup, (await stateOf(setup))?.result?.targets[0]?.index);
      }
    },
  );
});

it('a run with another key is told as soon as the claim stands, however long the claimed run takes', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const gate = await createGate(database.url(), 'places.id', 0);
  scope.onTestFinished(() => gate.close());
  const setup = await setUp(scope, SEARCH);
  await setup.redefine({ document: { name: 'places.name', passed: gate.expression } });
  await gate.shut();
  const both = ['pair 0 a', 'pair 0 b'].map((key) => setup.start('run', '--run-key', key));

  // The other one stands before the gate and cannot end.
  expectTold(await Promise.race(both.map(({ ended }) => ended)), setup.alias);
  expect(both.filter(({ child }) => child.exitCode === null)).toHaveLength(1);
  await gate.open();
  const done = (await Promise.all(both.map(({ ended }) => ended))).filter(({ code }) => code === 0);
  expect(done).toHaveLength(1);
  await expectOneIndex(setup, onlyTarget(done[0]?.result ?? {})['index']);
});

it('a run with --wait outlasts a run of another key, and one whose time is over is told who works', {
  timeout: 120_000,
}, async (scope) => {
  const gate = await createGate(database.url(), 'places.id', 0);
  scope.onTestFinished(() => gate.close());
  const setup = await setUp(scope, SEARCH);
  await setup.redefine({ document: { name: 'places.name', passed: gate.expression }, retain: 0 });
  await gate.shut();
  const first = setup.start('run', '--run-key', 'pair 9 a');
  await eventually('the fleet is claimed', () => isHeld(setup));
  const patient = setup.start('run', '--run-key', 'pair 9 b', '--wait', '90s');
  await patient.said('waiting for the lock');

  const hasty = await setup.run('run', '--run-key', 'pair 9 b', '--wait', '100ms');
  expect(errorOf(hasty, 3)).toMatch(/another process holds the fleet: .*, for the run with key pair 9 a /);
  await gate.open();
  resultOf(await first.ended);
  const result = resultOf(await patient.ended);
  expect(result).toMatchObject({ run_key: 'pair 9 b' });
  await expectOneIndex(setup, onlyTarget(result)['index']);
});

it('a run that waits for its own key ends with the result of that run, even if a third run was faster to take the lock', {
  timeout: 120_000,
}, async (scope) => {
  const gate = await createGate(database.url(), 'places.id', 0);
  scope.onTestFinished(() => gate.close());
  const setup = await setUp(scope, SEARCH);
  await setup.redefine({ document: { name: 'places.name', passed: gate.expression }, retain: 0 });
  await gate.shut();
  const first = setup.start('run', '--run-key', 'pair 10 a');
  await eventually('the fleet is claimed', () => isHeld(setup));
  const waiting = setup.start('run', '--run-key', 'pair 10 a');
  await waiting.said('waiting for the lock');
  waiting.child.kill('SIGSTOP');
  await gate.open();
  const result = resultOf(await first.ended);
  await gate.shut();
  const third = setup.start('run', '--run-key', 'pair 10 b');
  await eventually('the third run has claimed the fleet', () => isHeld(setup));
  waiting.child.kill('SIGCONT');

  expect(resultOf(await waiting.ended)).toEqual({ ...result, finished_before: true });
  await gate.open();
  expect(resultOf(await third.ended)).toMatchObject({ run_key: 'pair 10 b' });
});

/** Before the claim can be seen, the lock names the run. */
function expectTold(ended: EndedCommand, alias: string): void {
  expect(errorOf(ended, 3)).toMatch(
    new RegExp(
      `the run with key pair \\d+ [ab] \\(alias ${alias}\\) has held the fleet since \\d{4}-\\d\\d-|another process holds the fleet: reindex-fleet run, process \\d+ on .*, since .*, for the run with key pair \\d+ [ab] `,
    ),
  );
}

async function expectOneIndex(setup: RunSetup, index: unknown): Promise<void> {
  expect(await setup.served()).toEqual([index]);
  expect(await setup.indexes()).toEqual([index, `${String(index)}-dead-letters`]);
  expect(Object.keys(await documentsOf(setup.alias, SEARCH))).toHaveLength(ROWS);
  expect(await isHeld(setup)).toBe(false);
}

describe('a run that is paused for longer than its lease', { timeout: 240_000 }, () => {
  const WORK = ['create-index', 'finalize', 'validate', 'promote'] as const;
  /** The first call of each of these phases at which the run is paused. */
  const CALLS: Readonly<Record<(typeof WORK)[number], RegExp>> = {
    'create-index': /^GET .*-dead-letters\?/,
    finalize: /^PUT .*\/_block\/write$/,
    validate: /^POST .*\/_count$/,
    promote: /^GET \/_alias\//,
  };

  sampled(WORK, 1)('stops in the phase %s before its next change, with exit code 3', async (phase, scope) => {
    const proxy = await startProxy(scope, SEARCH);
    const setup = await setUp(scope, proxy.url, { ...SETTINGS, journal: { lease_ms: 1_500 } });
    const paused = setup.start('run', '--run-key', 'k');
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    proxy.beforeAnswer = ({ method, path }) => {
      if (CALLS[phase].test(`${method} ${path}`)) {
        paused.child.kill('SIGSTOP');
        proxy.beforeAnswer = () => Promise.resolve();
        reach();
      }
      return Promise.resolve();
    };
    await reached;
    // On another way to the node, so that each one's calls are its own.
    const result = resultOf(await setup.run('run', '--run-key', 'k', '--target', SEARCH));

    const changes: string[] = [];
    proxy.beforeCall = (call) => {
      if (isChange(call)) changes.push(`${call.method} ${call.path}`);
      return Promise.resolve(true);
    };
    paused.child.kill('SIGCONT');

    expect(errorOf(await paused.ended, 3)).toMatch(
      /stood still for longer than its lease|taken the lock over|another process .* has written/,
    );
    expect(changes).toEqual([]);
    await expectOneIndex(setup, onlyTarget(result)['index']);
    expect((await stateOf(setup))?.result).toMatchObject({
      targets: [{ index: onlyTarget(result)['index'] }],
    });
    await eventually('no worker lives', async () => (await setup.workers()).length === 0, 5_000);
  });
});
