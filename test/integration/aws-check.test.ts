import {
  StartInstanceRefreshCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
  type UpdateAutoScalingGroupCommandInput,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateVersionCommand } from '@aws-sdk/client-ec2';
import { DeleteParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { ACCOUNT_ID } from '../aws/aws-clients.ts';
import { ASKS, check, expectUntouched, faultsOf, makeChecked } from '../aws/checked-world.ts';
import { setDesired } from '../aws/group.ts';
import { journalledPinOf } from '../aws/group-fleet.ts';
import type { AwsWorld } from '../aws/world.ts';

const scope = { onTestFinished };

describe.skipIf(inject('awsUrl') === null)('the check of a suitable Auto Scaling group', () => {
  test('returns the pin of the run, and changes nothing', async () => {
    const world = await makeChecked(scope);
    expect(await check(world)).toEqual({
      pin: journalledPinOf(world),
      warnings: [
        expect.stringContaining(`$Latest of the launch template ${world.templateId}, which is version 1 now`),
      ],
    });
    await expectUntouched(world);
    expect(world.proxy.calls.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['SetDesiredCapacity', 'TerminateInstanceInAutoScalingGroup']),
    );
  });

  test('makes no changing call at all while nobody holds the lock', async () => {
    const world = await makeChecked(scope);
    await check(world, {}, { underLock: false });
    expect(world.proxy.calls.filter(({ action }) => !ASKS.test(action))).toEqual([]);
  });

  test('sets no desired capacity while there is one, because a retiring worker may lower it at that moment', async () => {
    const world = await makeChecked(scope);
    await setDesired(world, 2);
    await check(world);
    expect(world.proxy.callsOf('SetDesiredCapacity')).toEqual([]);
  });

  test('accepts an image other than the one that an unfinished run is pinned to', async () => {
    const world = await makeChecked(scope);
    await world.moveImage();
    const pin = journalledPinOf(world);
    expect(await check(world, {}, { pin })).toEqual({ pin, warnings: [] });
  });

  test('refuses the group of another fleet', async () => {
    const world = await makeChecked(scope, { maximum: 4, fleet: 'films' });
    expect(await faultsOf(world)).toEqual([
      expect.stringContaining(
        'reindex-fleet:fleet says that it belongs to the fleet films, but this is the fleet books',
      ),
    ]);
  });

  test('warns when the workers have no role', async () => {
    const world = await makeChecked(scope, { maximum: 4, template: { IamInstanceProfile: undefined } });
    expect((await check(world)).warnings).toContainEqual(
      expect.stringContaining(
        `${world.templateId} has no instance profile. Without other credentials in the image, a worker cannot read its parameters`,
      ),
    );
  });

  test('warns when an instance that ends by itself would not be replaced', async () => {
    const world = await makeChecked(scope);
    await suspend(world, 'ReplaceUnhealthy');
    expect((await check(world)).warnings).toContainEqual(
      expect.stringContaining(
        'its process ReplaceUnhealthy is suspended: a worker that ends by itself is not replaced',
      ),
    );
  });
});

describe.skipIf(inject('awsUrl') === null)('the check of an unsuitable Auto Scaling group', () => {
  test('refuses a group other than that of the run', async () => {
    const world = await makeChecked(scope);
    const [fault] = await faultsOf(world, {}, { pin: journalledPinOf(world, { group: 'another' }) });
    expect(fault).toBe(
      `the run uses the group another in ${world.region}, but the settings name ${world.group} in ${world.region}: carry the run on with the settings that it began with`,
    );
  });

  test('refuses a group that does not exist in the region', async () => {
    const world = await makeChecked(scope);
    const where = (group: string, region: string) =>
      `there is no Auto Scaling group ${group} in region ${region} of account ${ACCOUNT_ID}: correct auto_scaling.group or aws.region`;
    expect(await faultsOf(world, { group: 'nothing' })).toEqual([where('nothing', 'eu-central-1')]);
    expect(await faultsOf(world, { region: 'eu-west-1' })).toEqual([
      where(world.group, 'eu-west-1'),
      `the token parameter ${world.tokenParameter} does not exist in this region`,
    ]);
  });

  test.each(['Launch', 'Terminate'])('refuses a group whose process %s is suspended', async (process) => {
    const world = await makeChecked(scope);
    await suspend(world, process);
    expect(await faultsOf(world)).toEqual([
      `the group ${world.group}: its process ${process} is suspended: resume it`,
    ]);
  });

  test('refuses a maximum below the number of workers wanted', async () => {
    const world = await makeChecked(scope, { maximum: 3 });
    expect(await faultsOf(world)).toEqual([
      `the group ${world.group}: its maximum is 3, but workers.count is 4: raise the maximum, or lower workers.count (--workers)`,
    ]);
  });

  test('refuses a minimum above zero, because the fleet must reach zero', async () => {
    const world = await makeChecked(scope, { minimum: 1, maximum: 4 });
    expect(await faultsOf(world)).toEqual([
      `the group ${world.group}: its minimum is 1, but the fleet must reach zero: set it to 0`,
    ]);
  });

  test('refuses a group that does not protect its new instances', async () => {
    const world = await makeChecked(scope);
    await update(world, { NewInstancesProtectedFromScaleIn: false });
    expect(await faultsOf(world)).toEqual([expect.stringContaining('set NewInstancesProtectedFromScaleIn')]);
  });

  test('refuses a group during an instance refresh', async () => {
    const world = await makeChecked(scope);
    await world.clients.autoScaling.send(
      new StartInstanceRefreshCommand({ AutoScalingGroupName: world.group }),
    );
    expect(await faultsOf(world)).toEqual([
      expect.stringMatching(
        /its instance refresh \S+ is under way \(InProgress\): wait for it, or cancel it/,
      ),
    ]);
  });

  test('refuses a group whose image comes from another parameter', async () => {
    const world = await makeChecked(scope);
    await world.clients.ec2.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId: world.templateId,
        LaunchTemplateData: {
          ImageId: 'resolve:ssm:/another/image',
          InstanceInitiatedShutdownBehavior: 'terminate',
        },
      }),
    );
    expect(await faultsOf(world)).toEqual([
      `version $Latest of the launch template ${world.templateId} launches resolve:ssm:/another/image, but auto_scaling.image_parameter wants resolve:ssm:${world.imageParameter} there`,
    ]);
    expect(await faultsOf(world, { image_parameter: null })).toEqual([
      expect.stringContaining('auto_scaling.image_parameter is not set: name an image in the template'),
    ]);
  });

  test.each([undefined, 'stop' as const])(
    'refuses a template that stops an instance when it shuts itself down (%s)',
    async (behavior) => {
      const world = await makeChecked(scope, {
        maximum: 4,
        template: { InstanceInitiatedShutdownBehavior: behavior },
      });
      expect(await faultsOf(world)).toEqual([
        `version $Latest of the launch template ${world.templateId} only stops an instance that shuts itself down. A worker shuts its instance down when it has no other way to end it: set InstanceInitiatedShutdownBehavior to terminate`,
      ]);
    },
  );

  test('names all these faults at once', async () => {
    const world = await makeChecked(scope, { maximum: 1 });
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

describe.skipIf(inject('awsUrl') === null)('the check of unsuitable AWS parameters', () => {
  const put = async (world: AwsWorld, Name: string, how: Pick<PutInput, 'Value' | 'Type' | 'DataType'>) => {
    await world.clients.ssm.send(new DeleteParameterCommand({ Name }));
    await world.clients.ssm.send(new PutParameterCommand({ Name, ...how }));
  };

  test('refuses an image parameter of another data type', async () => {
    const world = await makeChecked(scope);
    await put(world, world.imageParameter, { Value: world.imageId, Type: 'String', DataType: 'text' });
    expect(await faultsOf(world)).toEqual([
      `the image parameter ${world.imageParameter} has the data type text: make it a parameter of the data type aws:ec2:image`,
    ]);
  });

  test('refuses an image parameter that names no image', async () => {
    const world = await makeChecked(scope);
    const values = { Type: 'String', DataType: 'aws:ec2:image' } as const;
    await put(world, world.imageParameter, { Value: 'newest', ...values });
    expect(await faultsOf(world)).toEqual([
      `the image parameter ${world.imageParameter} holds "newest", which is not the id of an image: write one that begins with ami-`,
    ]);
    await put(world, world.imageParameter, { Value: 'ami-0123456789abcdef0', ...values });
    expect(await faultsOf(world)).toEqual([
      'the image ami-0123456789abcdef0 does not exist in this region, or this account may not use it',
    ]);
  });

  test('refuses a token that is no SecureString or is too short, and never shows it', async () => {
    const world = await makeChecked(scope);
    await put(world, world.tokenParameter, { Value: 'an-open-secret-of-its-kind', Type: 'String' });
    const [open = ''] = await faultsOf(world);
    expect(open).toBe(
      `the token parameter ${world.tokenParameter} is a String: make it a SecureString, because it holds a secret`,
    );
    await put(world, world.tokenParameter, { Value: 'short-secret', Type: 'SecureString' });
    const [short = ''] = await faultsOf(world);
    expect(short).toMatch(/a worker accepts: it has at least 16 characters$/);
    expect(short).not.toContain('short-secret');
    // With this one every worker would end at its start.
    await put(world, world.tokenParameter, { Value: 'long-enough-but-odd!#$', Type: 'SecureString' });
    const [odd = ''] = await faultsOf(world);
    expect(odd).toMatch(/a worker accepts: it has only letters, digits and/);
    expect(odd).not.toContain('but-odd');
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
