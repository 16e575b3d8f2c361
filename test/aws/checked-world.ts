import { DescribeScalingActivitiesCommand } from '@aws-sdk/client-auto-scaling';
import { expect } from 'vitest';
import { exitCodeOf } from '../../definition/failure.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import type { CheckedFleet, FleetCheckOptions } from '../../orchestrator/fleet/fleet-backend.ts';
import type { TestScope } from '../support/run-setup.ts';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import type { AwsCall } from './aws-call.ts';
import { awsEnvironment } from './aws-clients.ts';
import { NOBODY } from './fleet-rules.ts';
import { groupOf } from './group.ts';
import { CHECKED_FLEET, checkWorld } from './group-fleet.ts';
import { type AwsWorld, makeWorld, type WorldOptions } from './world.ts';

/** A world that is held against what a run needs of it, through a proxy. */
export interface CheckedWorld extends AwsWorld {
  readonly scope: TestScope;
  readonly proxy: ApiProxy;
}

export async function makeChecked(
  scope: TestScope,
  options: WorldOptions = { maximum: 4 },
): Promise<CheckedWorld> {
  const world = await makeWorld(scope, { fleet: CHECKED_FLEET, ...options });
  return { ...world, scope, proxy: await startApiProxy(scope, world.awsUrl) };
}

type Changes = Parameters<typeof checkWorld>[2];

export function check(
  world: CheckedWorld,
  changes: Changes = {},
  options: Partial<FleetCheckOptions> = {},
): Promise<CheckedFleet> {
  return checkWorld(
    world.scope,
    { ...world, environment: awsEnvironment(world.proxy.url) },
    changes,
    options,
  );
}

/** Expects that a check fails as it should and changes nothing. Returns its message. */
export async function faultsOf(
  world: CheckedWorld,
  changes: Changes = {},
  options: Partial<FleetCheckOptions> = {},
): Promise<string[]> {
  const error = await check(world, changes, options).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error === null) throw new Error('the check has found nothing');
  expect(exitCodeOf(error)).toBe(1);
  await expectUntouched(world);
  return messageOf(error).split('\n');
}

/** Expects a group at zero that has never launched anything, and no call that could have launched something. */
export async function expectUntouched(world: CheckedWorld): Promise<void> {
  const found = await groupOf(world);
  const { Activities } = await world.clients.autoScaling.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: world.group }),
  );
  expect(found).toMatchObject({ DesiredCapacity: found.MinSize });
  expect(Activities?.length).toBe(found.MinSize);
  expect(world.proxy.calls.filter(changes)).toEqual([]);
}

export const ASKS = /^(Describe|Get)/;

/** All calls without those that only read, that set a present value again, or that name an instance that does not exist. */
function changes({ action, parameters }: AwsCall): boolean {
  if (action === 'SetDesiredCapacity') return parameters['DesiredCapacity'] !== '0';
  if (action === 'TerminateInstanceInAutoScalingGroup') return parameters['InstanceId'] !== NOBODY;
  return !ASKS.test(action);
}
