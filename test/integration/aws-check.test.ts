import {
  DescribeScalingActivitiesCommand,
  StartInstanceRefreshCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
  type UpdateAutoScalingGroupCommandInput,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateVersionCommand } from '@aws-sdk/client-ec2';
import { DeleteParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { exitCodeOf, messageOf } from '../../orchestrator/errors.ts';
import type { CheckedFleet, FleetCheckOptions } from '../../orchestrator/run/context.ts';
import { ACCOUNT_ID, awsEnvironment } from '../aws/aws-clients.ts';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import type { AwsCall } from '../aws/aws-call.ts';
import type { AwsError } from '../aws/aws-fault-answer.ts';
import { groupOf, setDesired } from '../aws/group.ts';
import { checkWorld, pinOf } from '../aws/group-fleet.ts';
import { type AwsWorld, makeWorld, type WorldOptions } from '../aws/world.ts';

const scope = { onTestFinished };

interface Checked extends AwsWorld {
  readonly proxy: ApiProxy;
}

async function makeChecked(options: WorldOptions = { maximum: 4 }): Promise<Checked> {
  const world = await makeWorld(scope, options);
  return { ...world, proxy: await startApiProxy(scope, world.awsUrl) };
}

type Changes = Parameters<typeof checkWorld>[2];

function check(
  world: Checked,
  changes: Changes = {},
  options: Partial<FleetCheckOptions> = {},
): Promise<CheckedFleet> {
  return checkWorld(scope, { ...world, environment: awsEnvironment(world.proxy.url) }, changes, options);
}

/** What a check says when it fails, after it is sure that it has failed as it should and has touched nothing. */
async function faultsOf(
  world: Checked,
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

/** A group at zero that has never launched anything, and no call that could have made it. */
async function expectUntouched(world: Checked): Promise<void> {
  const found = await groupOf(world);
  const { Activities } = await world.clients.autoScaling.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: world.group }),
  );
  expect(found).toMatchObject({ DesiredCapacity: found.MinSize });
  expect(Activities?.length).toBe(found.MinSize);
  expect(world.proxy.calls.filter(changes)).toEqual([]);
}

const ASKS = /^(Describe|Get)/;

/** All calls but those that ask, that set what is there already, or that speak of an instance that nobody has. */
function changes({ action, parameters }: AwsCall): boolean {
  if (action === 'SetDesiredCapacity') return parameters['DesiredCapacity'] !== '0';
  if (action === 'TerminateInstanceInAutoScalingGroup')
    return parameters['InstanceId'] !== 'i-00000000000000000';
  return !ASKS.test(action);
}

function denied(action: string, resource = '*'): AwsError {
  const code = action.startsWith('ec2:')
    ? 'UnauthorizedOperation'
    : action.startsWith('ssm:')
      ? 'AccessDeniedException'
      : 'AccessDenied';
  const user = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/runner/session`;
  const message = `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  return { status: action.startsWith('ssm:') ? 400 : 403, code, message };
}

function arnOf({ group }: AwsWorld): string {
  return `arn:aws:autoscaling:eu-central-1:${ACCOUNT_ID}:autoScalingGroup:c6baca75-c880-41cd-b1c3-0b1d2f3a4e5f:autoScalingGroupName/${group}`;
}

describe.skipIf(inject('awsUrl') === null)('a group that is fit for a run', () => {
  test('gives what the run is pinned to, and is not touched', async () => {
    const world = await makeChecked();
    expect(await check(world)).toEqual({
      pin: pinOf(world),
      warnings: [
        expect.stringContaining(`$Latest of the launch template ${world.templateId}, which is 1 now`),
      ],
    });
    await expectUntouched(world);
    expect(world.proxy.calls.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['SetDesiredCapacity', 'TerminateInstanceInAutoScalingGroup']),
    );
  });

  test('hears no changing call at all while nobody holds the lock', async () => {
    const world = await makeChecked();
    await check(world, {}, { underLock: false });
    expect(world.proxy.calls.filter(({ action }) => !ASKS.test(action))).toEqual([]);
  });

  test('is told no capacity while it has one: a worker that retires at this moment lowers it', async () => {
    const world = await makeChecked();
    await setDesired(world, 2);
    await check(world);
    expect(world.proxy.callsOf('SetDesiredCapacity')).toEqual([]);
  });

  test('need not be as an unfinished run is pinned to', async () => {
    const world = await makeChecked();
    await world.moveImage();
    const pin = pinOf(world);
    expect(await check(world, {}, { pin })).toEqual({ pin, warnings: [] });
  });

  test('says where an instance that ends by itself would not be replaced', async () => {
    const world = await makeChecked();
    await suspend(world, 'ReplaceUnhealthy');
    expect((await check(world)).warnings).toContainEqual(
      expect.stringContaining(
        'its process ReplaceUnhealthy is suspended: a worker that ends by itself is not replaced',
      ),
    );
  });
});

describe.skipIf(inject('awsUrl') === null)('a group that is not fit for a run', () => {
  test('is another than that of the run', async () => {
    const world = await makeChecked();
    const [fault] = await faultsOf(world, {}, { pin: { ...pinOf(world), group: 'another' } });
    expect(fault).toBe(
      `the run has the group another as its fleet, and aws.group is ${world.group}: carry it on with the settings that it began with`,
    );
  });

  test('does not exist, or not in this region', async () => {
    const world = await makeChecked();
    const where = (group: string, region: string) =>
      `there is no Auto Scaling group ${group} in region ${region} of account ${ACCOUNT_ID}: look after aws.group and aws.region`;
    expect(await faultsOf(world, { group: 'nothing' })).toEqual([where('nothing', 'eu-central-1')]);
    expect(await faultsOf(world, { region: 'eu-west-1' })).toEqual([
      where(world.group, 'eu-west-1'),
      `the token parameter ${world.tokenParameter} does not exist in this region`,
    ]);
  });

  test.each(['Launch', 'Terminate'])('has its process %s suspended', async (process) => {
    const world = await makeChecked();
    await suspend(world, process);
    expect(await faultsOf(world)).toEqual([
      `the group ${world.group}: its process ${process} is suspended: resume it`,
    ]);
  });

  test('has a maximum below the workers that are wanted', async () => {
    const world = await makeChecked({ maximum: 3 });
    expect(await faultsOf(world)).toEqual([
      `the group ${world.group}: its maximum is 3, and workers.count is 4: raise the one, or lower the other (--workers)`,
    ]);
  });

  test('has a minimum, which keeps it from zero', async () => {
    const world = await makeChecked({ minimum: 1, maximum: 4 });
    expect(await faultsOf(world)).toEqual([
      `the group ${world.group}: its minimum is 1, and the fleet must reach zero: set it to 0`,
    ]);
  });

  test('does not protect its new instances', async () => {
    const world = await makeChecked();
    await update(world, { NewInstancesProtectedFromScaleIn: false });
    expect(await faultsOf(world)).toEqual([expect.stringContaining('set NewInstancesProtectedFromScaleIn')]);
  });

  test('is being refreshed', async () => {
    const world = await makeChecked();
    await world.clients.autoScaling.send(
      new StartInstanceRefreshCommand({ AutoScalingGroupName: world.group }),
    );
    expect(await faultsOf(world)).toEqual([
      expect.stringMatching(
        /its instance refresh \S+ is under way \(InProgress\): wait for it, or cancel it/,
      ),
    ]);
  });

  test('takes its image from elsewhere', async () => {
    const world = await makeChecked();
    await world.clients.ec2.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId: world.templateId,
        LaunchTemplateData: { ImageId: 'resolve:ssm:/another/image', InstanceType: 'c7g.large' },
      }),
    );
    expect(await faultsOf(world)).toEqual([
      `version $Latest of the launch template ${world.templateId} launches resolve:ssm:/another/image, and aws.image_parameter wants resolve:ssm:${world.imageParameter}`,
    ]);
    expect(await faultsOf(world, { image_parameter: null })).toEqual([
      expect.stringContaining('where aws.image_parameter is not set it must name an image'),
    ]);
  });

  test('has all of this, which is said at once', async () => {
    const world = await makeChecked({ maximum: 1 });
    await suspend(world, 'Launch');
    await world.clients.ssm.send(new DeleteParameterCommand({ Name: world.imageParameter }));
    await world.clients.ssm.send(new DeleteParameterCommand({ Name: world.tokenParameter }));
    expect(await faultsOf(world)).toEqual([
      expect.stringContaining('its maximum is 1'),
      expect.stringContaining('its process Launch is suspended'),
      `the image parameter ${world.imageParameter} does not exist in this region`,
      `the token parameter ${world.tokenParameter} does not exist in this region`,
    ]);
  });
});

describe.skipIf(inject('awsUrl') === null)('parameters that are not fit for a run', () => {
  const put = async (world: AwsWorld, Name: string, how: Pick<PutInput, 'Value' | 'Type' | 'DataType'>) => {
    await world.clients.ssm.send(new DeleteParameterCommand({ Name }));
    await world.clients.ssm.send(new PutParameterCommand({ Name, ...how }));
  };

  test('an image parameter of another type', async () => {
    const world = await makeChecked();
    await put(world, world.imageParameter, { Value: world.imageId, Type: 'String', DataType: 'text' });
    expect(await faultsOf(world)).toEqual([
      `the image parameter ${world.imageParameter} has the data type text: make it one of aws:ec2:image`,
    ]);
  });

  test('an image parameter that names no image', async () => {
    const world = await makeChecked();
    const values = { Type: 'String', DataType: 'aws:ec2:image' } as const;
    await put(world, world.imageParameter, { Value: 'newest', ...values });
    expect(await faultsOf(world)).toEqual([
      `the image parameter ${world.imageParameter} names no image but "newest"`,
    ]);
    await put(world, world.imageParameter, { Value: 'ami-0123456789abcdef0', ...values });
    expect(await faultsOf(world)).toEqual([
      'the image ami-0123456789abcdef0 does not exist in this region, or not for this account',
    ]);
  });

  test('a token that is no secret, or too short; it is never shown', async () => {
    const world = await makeChecked();
    await put(world, world.tokenParameter, { Value: 'an-open-secret-of-its-kind', Type: 'String' });
    const [open = ''] = await faultsOf(world);
    expect(open).toBe(
      `the token parameter ${world.tokenParameter} is a String: make it a SecureString, it holds a secret`,
    );
    await put(world, world.tokenParameter, { Value: 'short-secret', Type: 'SecureString' });
    const [short = ''] = await faultsOf(world);
    expect(short).toMatch(/must hold a token of at least 16 letters/);
    expect(short).not.toContain('short-secret');
  });
});

/** Every call of a check. */
const ACTIONS = [
  'sts:GetCallerIdentity',
  'autoscaling:DescribeAutoScalingGroups',
  'autoscaling:DescribeScalingActivities',
  'ec2:DescribeInstances',
  'ssm:GetParameter',
];

function nameOf(action: string): string {
  return action.slice(action.indexOf(':') + 1);
}

describe.skipIf(inject('awsUrl') === null)('credentials', () => {
  test('that have expired are named once, whatever else they keep from being seen', async () => {
    const world = await makeChecked();
    const message = 'The security token included in the request is expired';
    for (const action of ACTIONS)
      world.proxy.fail({ action: nameOf(action), with: { status: 403, code: 'ExpiredToken', message } });
    expect(await faultsOf(world)).toEqual([
      `sts:GetCallerIdentity on region eu-central-1: ExpiredToken: ${message} (the AWS credentials have expired: renew them)`,
    ]);
  });

  test('that may not terminate instances of the group are told so', async () => {
    const world = await makeChecked();
    const action = 'autoscaling:TerminateInstanceInAutoScalingGroup';
    world.proxy.fail({ action: nameOf(action), with: denied(action, arnOf(world)) });
    const resource = `the instance i-00000000000000000 of the group ${world.group}`;
    const [fault, ...others] = await faultsOf(world);
    expect(fault).toContain(`${action} on ${resource}: AccessDenied: User: `);
    expect(fault).toContain(`(the permission ${action} is missing: allow it for ${resource})`);
    expect(others).toEqual([]);
  });

  test('that may not decrypt are told that, not that they may not read', async () => {
    const world = await makeChecked();
    const key = `arn:aws:kms:eu-central-1:${ACCOUNT_ID}:key/0f1e2d3c`;
    world.proxy.fail({
      action: 'GetParameter',
      matching: ({ parameters }) => parameters['Name'] === world.tokenParameter,
      with: { ...denied('kms:Decrypt', key), status: 400, code: 'AccessDeniedException' },
    });
    expect(await faultsOf(world)).toEqual([
      expect.stringContaining(
        `(the permission kms:Decrypt is missing: allow it for the parameter ${world.tokenParameter})`,
      ),
    ]);
  });

  test('of which it cannot be seen whether they may terminate are let pass, with a warning', async () => {
    const world = await makeChecked();
    const action = 'autoscaling:TerminateInstanceInAutoScalingGroup';
    world.proxy.fail({ action: nameOf(action), with: denied(action) });
    expect((await check(world)).warnings).toContainEqual(
      expect.stringContaining(
        `whether workers may be terminated could not be seen beforehand: ${action} on `,
      ),
    );
    await expectUntouched(world);
  });
});

type PutInput = ConstructorParameters<typeof PutParameterCommand>[0];

async function suspend({ clients, group }: AwsWorld, process: string): Promise<void> {
  await clients.autoScaling.send(
    new SuspendProcessesCommand({ AutoScalingGroupName: group, ScalingProcesses: [process] }),
  );
}

async function update(
  { clients, group }: AwsWorld,
  what: Omit<UpdateAutoScalingGroupCommandInput, 'AutoScalingGroupName'>,
): Promise<void> {
  await clients.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: group, ...what }));
}
