import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, inject, it } from 'vitest';
import { DONE, type GatedGroupRun, loseOneInMidRange, setUpGatedRun } from '../aws/gated-group-run.ts';
import type { GroupRunOptions } from '../aws/group-run.ts';
import { groupIdsOf, groupOf, instancesOf, setDesired } from '../aws/group.ts';
import { setUpStackRun } from '../infra/stack-run.ts';
import { makeStackWorld, type StackWorld } from '../infra/stack-world.ts';
import { type EndedCommand, type LogLine, resultOf } from '../support/run-command.ts';
import type { TestScope } from '../support/run-setup.ts';
import { placesDatabase, ROWS } from '../support/run-table.ts';
import { uniqueName } from '../support/search-calls.ts';

/**
 * Whole runs as in aws-run.test.ts, on what the stack's program registers: each resource is made by calls of AWS's API, the
 * settings file is the stack's output, and machines boot by their own user data.
 */
const database = placesDatabase();
const setUp = (scope: TestScope, options: Partial<GroupRunOptions> = {}): Promise<GatedGroupRun> =>
  setUpGatedRun(scope, database.url(), options, setUpStackRun);

describe.skipIf(inject('awsUrl') === null)('a run on a created stack', { timeout: 240_000 }, () => {
  it('launches its instances, works and ends at zero, and its check gives no warning', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope);
    const ended = await run.setup.run('run', '--run-key', 'monday');
    expect(resultOf(ended)).toMatchObject({ ...DONE, instances: 2 });
    expect(warningsOf(ended)).toEqual([]);
    await run.requireRight();
  });

  it('replaces an instance that is lost in the middle of a range', { tags: 'long' }, async (scope) => {
    const run = await setUp(scope);
    const ended = await loseOneInMidRange(run);
    expect(resultOf(ended)).toMatchObject({ ...DONE, instances: 3 });
    await run.requireRight();
  });

  it('works with Spot instances of several types and an on-demand base', { tags: 'long' }, async (scope) => {
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

  it('leaves another fleet beside it alone, in its plan and in the sweep afterwards', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope);
    const { setup, world } = run;
    const staging = await makeStackWorld(scope, {
      fleet: uniqueName('staging'),
      databaseUrl: database.url(),
      definitionFile: '/opt/definitions/places.yaml',
    });
    await setDesired(staging, 1);
    const before = await everythingOf(staging);

    const planned = await setup.run('plan');
    expect(resultOf(planned)).toMatchObject({ status: 'planned', rows: ROWS, workers: 2 });
    expect(warningsOf(planned)).toEqual([]);
    expect(resultOf(await setup.run('run'))).toMatchObject(DONE);
    // As somebody does by hand who takes the group for another.
    await setDesired(world, 1);
    const [stray = ''] = await groupIdsOf(world);
    const swept = resultOf(await setup.run('sweep'));
    expect(swept).toMatchObject({ status: 'swept', ended: [stray] });
    await run.requireRight();

    expect(await everythingOf(staging)).toEqual(before);
    expect(JSON.stringify(run.proxy.calls)).not.toContain(staging.group);
  });
});

/** Group, instances and journal. */
async function everythingOf(world: StackWorld): Promise<object> {
  const { Contents = [] } = await world.clients.s3.send(new ListObjectsV2Command({ Bucket: world.bucket }));
  return { group: await groupOf(world), instances: await instancesOf(world), keys: Contents };
}

/** Without the one of the plan that a test's own gate asks the session. */
function warningsOf({ log }: EndedCommand): readonly LogLine[] {
  return log.filter(({ level, msg }) => level >= 40 && !msg.includes('calls passes_gate()'));
}
