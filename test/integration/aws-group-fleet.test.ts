import { CreateLaunchTemplateVersionCommand } from '@aws-sdk/client-ec2';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openAws } from '../../orchestrator/aws/clients.ts';
import type { GroupFleet, GroupRun } from '../../orchestrator/fleet/auto-scaling/group-fleet.ts';
import { GroupReads } from '../../orchestrator/fleet/auto-scaling/group-reads.ts';
import { emptyFleet } from '../../orchestrator/fleet/empty-fleet.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import { type ApiProxy, type Fault, startApiProxy } from '../aws/api-proxy.ts';
import { endInstance, limitCapacity } from '../aws/cloud-control.ts';
import { groupOf, setDesired, terminate } from '../aws/group.ts';
import { backendOf, groupFleet, journalledPinOf } from '../aws/group-fleet.ts';
import { type AwsWorld, makeWorld, type WorldOptions } from '../aws/world.ts';

const scope = { onTestFinished };

interface Watched {
  readonly world: AwsWorld;
  readonly proxy: ApiProxy;
  readonly fleet: GroupFleet;
  /** The fleet's own time; passes only here. */
  readonly clock: { nowMs: number };
  /** What was called since the last time. */
  readonly calls: () => string[];
}

async function watched(options: Partial<WorldOptions> = {}, run: Partial<GroupRun> = {}): Promise<Watched> {
  const world = await makeWorld(scope, { maximum: 4, ...options });
  const proxy = await startApiProxy(scope, world.awsUrl);
  let seen = 0;
  const clock = { nowMs: 0 };
  const fleet = groupFleet(scope, world, {
    awsUrl: proxy.url,
    clock: { monotonicMs: () => clock.nowMs },
    run,
  });
  const calls = (): string[] => {
    const since = proxy.calls.slice(seen);
    seen = proxy.calls.length;
    return since.map(({ action }) => action).sort();
  };
  return { world, proxy, fleet, clock, calls };
}

async function desiredOf(world: AwsWorld): Promise<number | undefined> {
  return (await groupOf(world)).DesiredCapacity;
}

describe.skipIf(inject('awsUrl') === null)('a look at an Auto Scaling group', () => {
  test('takes two calls, and further calls only now and then for what rarely changes', async () => {
    const { fleet, clock, proxy, calls, world } = await watched();
    await fleet.observe();
    expect(proxy.callsOf('DescribeInstances')[0]?.parameters['MaxResults']).toBe('1000');
    const usual = ['DescribeAutoScalingGroups', 'DescribeInstances'];
    const source = ['DescribeLaunchTemplateVersions', 'GetParameter'];
    expect(calls()).toEqual([...usual, ...source].sort());
    clock.nowMs += 14_000;
    await fleet.observe();
    expect(calls()).toEqual(usual);
    await limitCapacity(world.awsUrl, world.group, 0);
    await setDesired(world, 1);
    await fleet.observe();
    expect(calls()).toEqual([...usual, 'DescribeScalingActivities'].sort());
    clock.nowMs += 2_000;
    await fleet.observe();
    expect(calls()).toEqual([...usual, ...source].sort());
  });

  test('shows no instance of another group whose name matches its own name as a pattern', async () => {
    const { world, fleet, proxy } = await watched();
    await setDesired(world, 1);
    expect((await fleet.observe()).instances).toHaveLength(1);
    const pattern = `${world.group.slice(0, -1)}?`;
    expect(await new GroupReads(openAws(world.region), pattern).instances()).toEqual([]);
    expect(proxy.callsOf('DescribeInstances').at(-1)?.parameters['Filter.1.Value.1']).toBe(
      `${world.group.slice(0, -1)}\\?`,
    );
  });

  test('shows launches that failed since the start of the run in the cloud’s words, while instances are missing', async () => {
    const { fleet, world, clock } = await watched({}, { startedAt: new Date(Date.now() - 60_000) });
    await limitCapacity(world.awsUrl, world.group, 1, 'VcpuLimitExceeded');
    await fleet.setDesired(2);
    const { launchFailures, instances } = await fleet.observe();
    expect(instances).toHaveLength(1);
    expect(launchFailures[0]?.reason).toMatch(/^VcpuLimitExceeded: You have requested more vCPU capacity/);
    expect(Date.parse(launchFailures[0]?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
    await limitCapacity(world.awsUrl, world.group, null);
    await fleet.setDesired(2);
    clock.nowMs += 20_000;
    expect((await fleet.observe()).launchFailures).toEqual([]);
  });

  test('shows no failed launches from before the run', async () => {
    const { fleet, world } = await watched({}, { startedAt: new Date(Date.now() + 60_000) });
    await limitCapacity(world.awsUrl, world.group, 0);
    await fleet.setDesired(1);
    expect((await fleet.observe()).launchFailures).toEqual([]);
  });

  test('assigns instances to the run only after it had seen the fleet at zero', async () => {
    let cleared = false;
    const { fleet, world } = await watched({}, { owns: () => cleared });
    await setDesired(world, 1);
    expect((await fleet.observe()).instances).toMatchObject([{ run: null }]);
    cleared = true;
    expect((await fleet.observe()).instances).toMatchObject([{ run: 'run-1' }]);
  });

  test('shows when an instance lived and, if it ended by itself, why', async () => {
    const { fleet, world } = await watched();
    await fleet.setDesired(2);
    const { instances } = await fleet.observe();
    const [first = '', second = ''] = instances.map(({ id }) => id);
    await endInstance(world.awsUrl, first, 'spot');
    await fleet.terminate(second, { decrement: true });
    const seen = new Map((await fleet.observe()).instances.map((instance) => [instance.id, instance]));
    expect(seen.get(first)).toMatchObject({
      phase: 'gone',
      url: null,
      detail: 'Server.SpotInstanceTermination: Instance terminated by Spot interruption',
      launchedAt: instances[0]?.launchedAt,
    });
    expect(seen.get(second)).toMatchObject({ phase: 'gone', detail: null });
    expect(Math.abs(Date.parse(seen.get(second)?.endedAt ?? '') - Date.now())).toBeLessThan(60_000);
  });

  test('fails with words when it is refused, and when the group does not exist', async () => {
    const { fleet, world, proxy } = await watched();
    const message = 'The security token included in the request is expired';
    proxy.fail({
      action: 'DescribeAutoScalingGroups',
      with: { status: 403, code: 'ExpiredToken', message },
    });
    await expect(fleet.observe()).rejects.toThrow(
      `autoscaling:DescribeAutoScalingGroups on the group ${world.group}: ExpiredToken`,
    );
    const nobody = groupFleet(scope, { ...world, group: 'nobody' });
    await expect(nobody.observe()).rejects.toThrow(
      'there is no Auto Scaling group nobody in region eu-central-1',
    );
  });
});

describe.skipIf(inject('awsUrl') === null)('an Auto Scaling group that has left the run’s pin', () => {
  test('is not asked for more instances after its image parameter moved, and says so', async () => {
    const { fleet, world, calls } = await watched();
    await fleet.setDesired(1);
    await fleet.observe();
    const moved = await world.moveImage();
    calls();
    const fault = `the image parameter ${world.imageParameter} is now at version 2 (${moved}), but this run is pinned to its version 1 (${world.imageId})`;
    await expect(fleet.setDesired(2)).rejects.toThrow(fault);
    expect(calls()).not.toContain('SetDesiredCapacity');
    const { launchFault, desired, instances } = await fleet.observe();
    expect(launchFault).toContain(fault);
    expect(desired).toBe(1);
    expect(instances).toMatchObject([{ misfit: null }]);
    await fleet.setDesired(0);
    expect(await desiredOf(world)).toBe(0);
  });

  test('shows instances that were launched from another image or template as misfits', async () => {
    const { fleet, world } = await watched();
    const moved = await world.moveImage();
    await setDesired(world, 1);
    const { ec2 } = world.clients;
    const image = { ImageId: world.imageId, InstanceType: 'c7g.large' } as const;
    await ec2.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId: world.templateId,
        LaunchTemplateData: image,
      }),
    );
    await setDesired(world, 2);
    const { instances, launchFault } = await fleet.observe();
    expect(instances.map(({ misfit }) => misfit)).toEqual([
      `it was launched from the image ${moved}, but this run is pinned to ${world.imageId}`,
      `it was launched from version 2 of the launch template ${world.templateId}, but this run is pinned to version 1 of the launch template ${world.templateId}`,
    ]);
    expect(launchFault).toContain(
      `now launches from version 2 of the launch template ${world.templateId}, but this run is pinned to version 1`,
    );
  });

  test('has its launch source checked again as soon as an unfitting instance appears', async () => {
    const { fleet, world } = await watched();
    await fleet.setDesired(1);
    expect((await fleet.observe()).launchFault).toBeNull();
    const moved = await world.moveImage();
    await setDesired(world, 2);
    expect((await fleet.observe()).launchFault).toContain(moved);
  });

  test('is still observed while its image parameter cannot be read, and not asked for more instances', async () => {
    const { fleet, proxy } = await watched();
    const fault = { status: 400, code: 'AccessDeniedException', message: 'not now' };
    proxy.fail({ action: 'GetParameter', with: fault });
    expect(await fleet.observe()).toMatchObject({ desired: 0, launchFault: null });
    await expect(fleet.setDesired(1)).rejects.toThrow('the permission ssm:GetParameter is missing');
  });
});

describe.skipIf(inject('awsUrl') === null)('the Auto Scaling fleet to bring to zero', () => {
  test('is the pinned fleet of the run, even if the settings name another group now', async () => {
    const [began, other] = [await makeWorld(scope, { maximum: 1 }), await makeWorld(scope, { maximum: 1 })];
    await setDesired(began, 1);
    await setDesired(other, 1);
    const backend = await backendOf(scope, other);
    const { fleet } = await backend.openFleet(journalledPinOf(began));
    onTestFinished(() => fleet.close());
    await emptyFleet(fleet, {
      clock: systemClock,
      requireHeld: () => {},
      signal: new AbortController().signal,
    });
    expect([await desiredOf(began), await desiredOf(other)]).toEqual([0, 1]);
  });

  test('is at zero when the run’s group was deleted, but not when it never existed', async () => {
    const world = await makeWorld(scope, { maximum: 1 });
    const gone = `${world.group}-of-yesterday`;
    const backend = await backendOf(scope, world);
    const { fleet } = await backend.openFleet(journalledPinOf(world, { group: gone }));
    const { fleet: unknown } = await (await backendOf(scope, { ...world, group: gone })).openFleet(null);
    onTestFinished(async () => void (await Promise.all([fleet.close(), unknown.close()])));
    const options = { clock: systemClock, requireHeld: () => {}, signal: new AbortController().signal };
    expect(await emptyFleet(fleet, options)).toEqual({ found: [], gone: [] });
    await expect(unknown.observe()).rejects.toThrow(`there is no Auto Scaling group ${gone}`);
  });
});

describe.skipIf(inject('awsUrl') === null)('a changing call to an Auto Scaling group', () => {
  const faults: readonly [string, Fault, RegExp][] = [
    ['throttled', 'throttled', /Throttling: Rate exceeded.*throttles/],
    ['answered by 500', 'internal error', /AWS answered 500/],
    [
      'in the way of another activity',
      { status: 400, code: 'ScalingActivityInProgress', message: 'Activity in progress' },
      /ScalingActivityInProgress/,
    ],
    [
      'in contention',
      { status: 500, code: 'ResourceContention', message: 'pending update' },
      /ResourceContention/,
    ],
    ['lost after it took effect', 'lost answer', /AWS did not answer/],
  ];
  test.each(faults)('is made once and fails when it is %s', async (_, fault, words) => {
    const { fleet, world, proxy, calls } = await watched();
    await fleet.setDesired(2);
    const { instances } = await fleet.observe();
    const id = instances[0]?.id ?? '';
    calls();
    for (const action of ['SetDesiredCapacity', 'TerminateInstanceInAutoScalingGroup'])
      proxy.fail({ action, with: fault });
    await expect(fleet.terminate(id, { decrement: true })).rejects.toThrow(words);
    await expect(fleet.terminate(id, { decrement: true })).rejects.toThrow(
      `autoscaling:TerminateInstanceInAutoScalingGroup on the instance ${id} of the group ${world.group}: `,
    );
    await expect(fleet.setDesired(0)).rejects.toThrow(
      `autoscaling:SetDesiredCapacity on the group ${world.group}: `,
    );
    expect(calls()).toEqual([
      'SetDesiredCapacity',
      'TerminateInstanceInAutoScalingGroup',
      'TerminateInstanceInAutoScalingGroup',
    ]);
    expect(await desiredOf(world)).toBe(fault === 'lost answer' ? 0 : 2);
  });

  test('ignores the cooldown, and is not repeated for an instance that is already ending', async () => {
    const { fleet, proxy, world } = await watched();
    await fleet.setDesired(1);
    expect(proxy.callsOf('SetDesiredCapacity')[0]?.parameters['HonorCooldown']).toBe('false');
    const [only] = (await fleet.observe()).instances;
    await terminate(world, only?.id ?? '', true);
    await expect(fleet.terminate(only?.id ?? '', { decrement: true })).rejects.toThrow(
      'No managed instance found',
    );
    expect(await desiredOf(world)).toBe(0);
  });
});
