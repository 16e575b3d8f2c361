import { describe, expect, inject, it } from 'vitest';
import { DONE, type GatedGroupRun, setUpGatedGroupRun } from '../aws/gated-group-run.ts';
import type { GroupRunOptions } from '../aws/group-run.ts';
import { groupIdsOf, instancesOf } from '../aws/group.ts';
import { setUpStackRun } from '../infra/stack-run.ts';
import { resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import type { TestScope } from '../support/run-setup.ts';
import { placesDatabase } from '../support/run-table.ts';

/**
 * Whole runs as in aws-run.test.ts, on what the stack's program registers: each resource is made by calls of AWS's API, the
 * settings file is the stack's output, and machines boot by their own user data.
 */
const database = placesDatabase();
const setUp = (scope: TestScope, options?: Partial<GroupRunOptions>): Promise<GatedGroupRun> =>
  setUpGatedGroupRun(scope, database.url(), options, setUpStackRun);

describe.skipIf(inject('awsUrl') === null)('a run on a stack', { timeout: 240_000 }, () => {
  it('comes up, works, and is gone, and its check finds nothing to warn of', async (scope) => {
    const run = await setUp(scope);
    const ended = await run.setup.run('run', '--run-key', 'monday');
    expect(resultOf(ended)).toMatchObject({ ...DONE, instances: 2 });
    expect(ended.log.filter(({ level }) => level >= 40)).toEqual([]);
    await run.requireRight();
  });

  it('replaces an instance that is lost in mid-range', async (scope) => {
    const run = await setUp(scope);
    const command = await run.begin();
    const [victim = ''] = await groupIdsOf(run.world);
    await run.room.shutDown(victim);
    await eventually('another is in its place', () => run.room.machines.length === 3);
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject({ ...DONE, instances: 3 });
    await run.requireRight();
  });

  it('goes over Spot instances of several types, with a base on demand', async (scope) => {
    const types = ['c7g.large', 'c6g.large', 'm7g.large'];
    const run = await setUp(scope, {
      settings: { workers: { count: 3 }, instances: { types, spot: { on_demand_base: 1 } } },
    });
    const command = await run.begin();
    const launched = (await instancesOf(run.world)).map(({ InstanceType, InstanceLifecycle }) => [
      InstanceType,
      InstanceLifecycle ?? 'on demand',
    ]);
    expect(launched.slice(0, 3)).toEqual([
      ['c7g.large', 'on demand'],
      ['c7g.large', 'spot'],
      ['c6g.large', 'spot'],
    ]);
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject(DONE);
    await run.requireRight();
  });
});
