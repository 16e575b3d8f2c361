import { describe, expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { rangesDone, stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { gatedPlaces, PLACES, placesDatabase, ROWS } from '../support/run-table.ts';

/** Runs on processes of this machine, which somebody has said the price of. */
const database = placesDatabase();
const PRICE = { per_hour: 3.6, currency: 'EUR' };

describe('local workers with a price', { timeout: 120_000 }, () => {
  it('are accounted for by the second in the plan, in the result and in the summary', async (scope) => {
    const settings = { price: PRICE, ranges: { count: 4 } };
    const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings });
    const ended = await setup.run('run');
    const result = resultOf(ended);
    expect(result).toMatchObject({ rows: ROWS, instances: 2, cost: { currency: 'EUR', exact: true } });
    const { instance_seconds: seconds, cost } = result as {
      instance_seconds: number;
      cost: { amount: number };
    };
    // Neither a minute each, nor nothing.
    expect(seconds).toBeLessThan(2 * 60);
    expect(cost.amount).toBeGreaterThan(0);
    expect(ended.stderr).toContain('2 instances');
    expect(resultOf(await setup.run('plan'))).toMatchObject({
      expected_cost: { amount: expect.any(Number), currency: 'EUR' },
    });
  });

  it('end the run at zero before they exceed --max-cost, and the run can be resumed', async (scope) => {
    const { setup, open } = await gated(scope);
    const ended = await setup.run('run', '--run-key', 'dear', '--max-cost', '0.003');
    expect(errorOf(ended, 1)).toMatch(
      /--max-cost allows no more[^]*The fleet is at zero\. The run has cost 0\.\d+ EUR so far/,
    );
    expect(await setup.workers()).toEqual([]);
    await open();
    expect(resultOf(await setup.run('run', '--run-key', 'dear'))).toMatchObject({
      status: 'done',
      rows: ROWS,
    });
  });
});

it('local workers of an interrupted run end with it and cost no more', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const { setup } = await gated(scope);
  const command = setup.start('run');
  await rangesDone(setup, 4);
  command.child.kill('SIGTERM');
  expect((await command.ended).code).toBe(143);
  const times = [...((await stateOf(setup))?.instances.values() ?? [])];
  expect(times.length).toBeGreaterThan(0);
  expect(times.filter(({ endedAt, seen }) => endedAt === null || !seen)).toEqual([]);
});

it('local workers without a price are not counted in a result', {
  tags: 'long',
  timeout: 120_000,
}, async (scope) => {
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES });
  expect(resultOf(await setup.run('run'))).toMatchObject({
    instances: null,
    instance_seconds: null,
    cost: null,
  });
  expect(resultOf(await setup.run('plan'))).toMatchObject({ expected_cost: null });
});

/** A run that cannot come to its end before `open`. */
async function gated(scope: TestScope): Promise<{ setup: RunSetup; open: () => Promise<void> }> {
  const { gate, definition } = await gatedPlaces(scope, database.url());
  const settings = { price: PRICE, ranges: { count: 8 } };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });
  await gate.shut();
  return { setup, open: () => gate.open() };
}
