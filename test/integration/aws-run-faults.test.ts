import { describe, expect, inject, it } from 'vitest';
import { emptyState } from '../../orchestrator/reconcile/state.ts';
import type { Fault } from '../aws/api-proxy.ts';
import { endInstance } from '../aws/cloud-control.ts';
import { DONE, type GatedGroupRun, setUpGatedGroupRun } from '../aws/gated-group-run.ts';
import { type GroupRunOptions, requireOrder } from '../aws/group-run.ts';
import { NOBODY } from '../aws/fleet-rules.ts';
import { groupIdsOf } from '../aws/group.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import type { TestScope } from '../support/run-setup.ts';
import { placesDatabase } from '../support/run-table.ts';
import { sampled } from '../support/sampled.ts';

/** Whole runs on an Auto Scaling group, see aws-run.test.ts. Here: what the cloud does. */
const database = placesDatabase();
const setUp = (scope: TestScope, options?: Partial<GroupRunOptions>): Promise<GatedGroupRun> =>
  setUpGatedGroupRun(scope, database.url(), options);

describe.skipIf(inject('awsUrl') === null)('a run on an unreliable cloud', { timeout: 240_000 }, () => {
  it('drains the worker of a Spot instance that gets an interruption notice, and replaces it', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope, { spot: true });
    const command = await run.begin();
    const [victim] = run.room.running();
    victim?.metadata.interrupt({ action: 'terminate', time: new Date(Date.now() + 30_000) });
    await eventually('the worker drains', () =>
      victim?.log.some(({ msg }) => msg?.includes('drain') === true),
    );
    await eventually('what waited is handed back', async () =>
      [...((await run.state())?.open.values() ?? [])].some(
        ({ lastReason }) => lastReason?.startsWith('cancelled') === true,
      ),
    );
    await endInstance(run.world.awsUrl, victim?.instanceId ?? '', 'spot');
    await eventually('another is in its place', () => run.room.machines.length === 3);
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject(DONE);
    await run.requireRight();
  });

  it('launches no more when its image parameter is moved, and goes on with the instances it has', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope);
    const command = await run.begin();
    const [victim = '', other = ''] = await groupIdsOf(run.world);
    const moved = await run.world.moveImage();
    await run.room.shutDown(victim);
    // The group may have launched another before the run could tell it that it wants no more.
    await eventually('the run wants no other', async () => (await run.state())?.desired === 1, 60_000);
    await run.gate.open();
    const ended = await command.ended;
    expect(resultOf(ended)).toMatchObject(DONE);
    expect(ended.stderr).toContain('no more instances are launched');
    await run.requireRight();
    const { instances, terminations } = (await run.state()) ?? emptyState();
    expect(instances.has(other)).toBe(true);
    const later = [...instances.keys()].filter((id) => id !== victim && id !== other);
    for (const id of later) expect(terminations[id]?.reason).toContain(moved);
  });

  it('names its pin when its image parameter moved before a resume, and stays at zero', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope, { workerLeaseMs: 4_000 });
    const command = await run.begin();
    command.child.kill('SIGKILL');
    await command.ended;
    await requireOrder(run);
    const moved = await run.world.moveImage();
    await run.gate.open();
    const error = errorOf(await run.setup.run('run', '--run-key', 'monday'), 1);
    expect(error).toContain(moved);
    expect(error).toContain(run.world.imageId);
    await requireOrder(run);
    expect(run.room.machines).toHaveLength(2);
  });

  const FAULTS: readonly (readonly [words: string, Fault])[] = [
    ['loses answers of calls that took effect', 'lost answer'],
    ['throttles', 'throttled'],
    ['answers with 5xx', 'internal error'],
    ['loses calls', 'lost call'],
  ];
  sampled(FAULTS, 0)('that %s makes a run ask again, and nothing is done twice', async ([, fault], scope) => {
    const run = await setUp(scope);
    await run.gate.shut();
    // The check before the run is not what is tried here.
    for (const action of ['SetDesiredCapacity', 'TerminateInstanceInAutoScalingGroup'])
      run.proxy.fail({ action, times: 2, matching: isOfTheRun, with: fault });
    for (const action of ['DescribeAutoScalingGroups', 'DescribeInstances', 'GetParameter'])
      run.proxy.fail({ action, after: 6, times: 4, with: fault });
    const command = run.setup.start('run');
    await run.rangesDone(4);
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject(DONE);
    await run.requireRight();
    expect(run.proxy.calls.filter((call) => call.fault === fault).length).toBeGreaterThan(6);
  });
});

/** Not a question whether a call is allowed, see check-changes.ts. */
function isOfTheRun({ parameters }: { readonly parameters: Readonly<Record<string, string>> }): boolean {
  return parameters['DesiredCapacity'] !== '0' && parameters['InstanceId'] !== NOBODY;
}
