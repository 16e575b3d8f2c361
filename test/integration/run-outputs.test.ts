import { describe, expect, inject } from 'vitest';
import { resultOf } from '../support/run-command.ts';
import { stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { sampled } from '../support/sampled.ts';

/** A run whose reader goes away, or whose output's disk is full, does its work all the same. */

const database = placesDatabase();
const OUTPUTS = [
  { name: 'both', outputs: ['stdout', 'stderr'] },
  { name: 'stdout', outputs: ['stdout'] },
  { name: 'stderr', outputs: ['stderr'] },
] as const;
const KEY = ['--run-key', 'k'] as const;

function setUp(scope: TestScope): Promise<RunSetup> {
  return setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl: inject('developmentUrl'),
    definition: PLACES,
    settings: { workers: { count: 1 } },
  });
}

async function expectDone(setup: RunSetup): Promise<void> {
  expect(await setup.served()).toHaveLength(1);
  const again = await setup.run('run', ...KEY);
  expect(resultOf(again)).toMatchObject({
    status: 'done',
    targets: [{ indexed: ROWS }],
    finished_before: true,
  });
}

describe.concurrent('a run whose output accepts nothing more', { timeout: 240_000 }, () => {
  sampled(OUTPUTS, 1)(
    'succeeds when the output is closed from the start: $name',
    async ({ outputs }, scope) => {
      const setup = await setUp(scope);
      const run = setup.start('run', ...KEY);
      for (const output of outputs) run.child[output]?.destroy();

      expect((await run.ended).code).toBe(0);
      await expectDone(setup);
    },
  );

  sampled(OUTPUTS, 1)(
    'succeeds when the output is closed in the middle: $name',
    async ({ outputs }, scope) => {
      const setup = await setUp(scope);
      const run = setup.start('run', ...KEY);
      await run.said('"phase":"reindex"');
      for (const output of outputs) run.child[output]?.destroy();

      expect((await run.ended).code).toBe(0);
      await expectDone(setup);
    },
  );

  sampled(OUTPUTS, 1)('succeeds when the output is on a full disk: $name', async ({ outputs }, scope) => {
    const setup = await setUp(scope);

    expect((await setup.startWith({ full: outputs }, 'run', ...KEY).ended).code).toBe(0);
    await expectDone(setup);
  });

  sampled(OUTPUTS, 1)('keeps the exit codes of failures: $name', async ({ outputs }, scope) => {
    const setup = await setUp(scope);
    const codeOf = async (...args: [string, ...string[]]): Promise<number | null> =>
      (await setup.startWith({ full: outputs }, ...args).ended).code;

    expect(await codeOf('run', '--target', 'http://127.0.0.1:1')).toBe(1);
    expect(await codeOf('no-such-command')).toBe(2);
    resultOf(await setup.run('claim', ...KEY));
    expect(await codeOf('run', '--run-key', 'other')).toBe(3);
    const closed = setup.start('run', ...KEY);
    await closed.said('"phase":"create-index"');
    for (const output of outputs) closed.child[output]?.destroy();
    closed.child.kill('SIGTERM');
    expect((await closed.ended).code).toBe(143);
    expect((await stateOf(setup))?.result).toBeNull();
  });
});
