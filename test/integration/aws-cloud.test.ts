import {
  DescribeInstanceRefreshesCommand,
  DescribeScalingActivitiesCommand,
  ResumeProcessesCommand,
  SetInstanceProtectionCommand,
  StartInstanceRefreshCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateVersionCommand,
  DescribeVolumesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { GetObjectCommand, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteParameterCommand } from '@aws-sdk/client-ssm';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { ACCOUNT_ID } from '../aws/aws-clients.ts';
import { endInstance, limitCapacity, setPace } from '../aws/cloud-control.ts';
import { groupIdsOf, groupOf, instancesOf, setDesired, terminate } from '../aws/group.ts';
import { type AwsWorld, makeWorld, type WorldOptions } from '../aws/world.ts';
import { eventually } from '../support/run-eventually.ts';

/** What the tests' AWS API does as AWS documents it, where moto alone does not. */

const world = (options: WorldOptions = { maximum: 4 }): Promise<AwsWorld> =>
  makeWorld({ onTestFinished }, options);

async function activitiesOf({ clients, group }: AwsWorld) {
  const { Activities = [] } = await clients.autoScaling.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group }),
  );
  return Activities;
}

const refusal = (message: string | RegExp) =>
  expect.objectContaining({
    name: 'ValidationError',
    message: expect.stringMatching(message),
    $metadata: expect.objectContaining({ httpStatusCode: 400 }),
  });

describe.skipIf(inject('awsUrl') === null)('an Auto Scaling group of the tests’ AWS API', () => {
  test('launches the version of its template and the image that the parameter names at that moment', async () => {
    const aws = await world();
    await setDesired(aws, 1);
    const moved = await aws.moveImage();
    await aws.clients.ec2.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId: aws.templateId,
        LaunchTemplateData: { ImageId: `resolve:ssm:${aws.imageParameter}`, InstanceType: 'c7g.xlarge' },
      }),
    );
    await setDesired(aws, 2);

    const seen = (await groupOf(aws)).Instances?.map(({ LaunchTemplate }) => LaunchTemplate?.Version);
    expect(seen).toEqual(['1', '2']);
    const [first, second] = await instancesOf(aws);
    expect([first?.ImageId, second?.ImageId]).toEqual([aws.imageId, moved]);
    expect([first?.InstanceType, second?.InstanceType]).toEqual(['c7g.large', 'c7g.xlarge']);
    expect(second?.Tags).toEqual(
      expect.arrayContaining([
        { Key: 'aws:ec2launchtemplate:id', Value: aws.templateId },
        { Key: 'aws:ec2launchtemplate:version', Value: '2' },
      ]),
    );
    expect(second?.PrivateIpAddress).toMatch(/^127\.77\.\d+\.\d+$/);
    expect(second?.LaunchTime).toBeInstanceOf(Date);
  });

  test('launches on-demand instances as its policy says, and Spot instances of all its types', async () => {
    const aws = await world({ maximum: 6 });
    await aws.clients.autoScaling.send(
      new UpdateAutoScalingGroupCommand({
        AutoScalingGroupName: aws.group,
        MixedInstancesPolicy: {
          LaunchTemplate: {
            LaunchTemplateSpecification: { LaunchTemplateId: aws.templateId, Version: '1' },
            Overrides: [{ InstanceType: 'c7g.large' }, { InstanceType: 'm7g.large' }],
          },
          InstancesDistribution: { OnDemandBaseCapacity: 1, OnDemandPercentageAboveBaseCapacity: 25 },
        },
      }),
    );
    await setDesired(aws, 6);
    const seen = (await instancesOf(aws)).map(({ InstanceType, InstanceLifecycle = 'on demand' }) => [
      InstanceType,
      InstanceLifecycle,
    ]);
    // Of five above the base 25 % are 1.25, rounded up.
    expect(seen.filter(([, lifecycle]) => lifecycle === 'on demand')).toEqual(
      Array.from({ length: 3 }, () => ['c7g.large', 'on demand']),
    );
    expect(new Set(seen.filter(([, lifecycle]) => lifecycle === 'spot').map(([type]) => type))).toEqual(
      new Set(['c7g.large', 'm7g.large']),
    );
  });

  test('gives an instance the volumes and tags of its template', async () => {
    const Tags = [{ Key: 'team', Value: 'search' }];
    const aws = await world({
      maximum: 1,
      template: {
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeType: 'gp3' } }],
        TagSpecifications: (['instance', 'volume'] as const).map((ResourceType) => ({ ResourceType, Tags })),
      },
    });
    await setDesired(aws, 1);
    const [instance] = await instancesOf(aws);
    expect(instance?.Tags).toEqual(expect.arrayContaining(Tags));
    const { Volumes } = await aws.clients.ec2.send(
      new DescribeVolumesCommand({
        Filters: [{ Name: 'attachment.instance-id', Values: [instance?.InstanceId ?? ''] }],
      }),
    );
    expect(Volumes).toEqual([expect.objectContaining({ Encrypted: true, VolumeType: 'gp3', Size: 8, Tags })]);
  });

  test('keeps to its minimum and maximum', async () => {
    const aws = await world({ minimum: 1, maximum: 2 });
    await expect(setDesired(aws, 3)).rejects.toEqual(refusal('value 3 is above max value 2'));
    await expect(setDesired(aws, 0)).rejects.toEqual(refusal('value 0 is below min value 1'));
    const [only = ''] = await groupIdsOf(aws);
    await expect(terminate(aws, only, true)).rejects.toEqual(
      refusal(/desiredSize equals minSize \(1\).*shouldDecrementDesiredCapacity/),
    );
    expect(await groupOf(aws)).toMatchObject({ DesiredCapacity: 1, Instances: [{ InstanceId: only }] });
  });

  test('replaces an instance terminated without a decrement, and none terminated with one', async () => {
    const aws = await world();
    await setDesired(aws, 2);
    const [one = '', other = ''] = await groupIdsOf(aws);
    await terminate(aws, one, false);
    const after = await groupIdsOf(aws);
    expect(after).toEqual([other, expect.stringMatching(/^i-/)]);
    await terminate(aws, other, true);
    expect(await groupOf(aws)).toMatchObject({ DesiredCapacity: 1, Instances: [{ InstanceId: after[1] }] });
    await expect(terminate(aws, other, true)).rejects.toEqual(
      refusal(`No managed instance found for instance ID: ${other}`),
    );
  });

  test('shows ended instances with the time and the reason of their end', async () => {
    const aws = await world();
    await setDesired(aws, 2);
    const [one = '', other = ''] = await groupIdsOf(aws);
    await terminate(aws, one, true);
    await endInstance(aws.awsUrl, other, 'shutdown');
    const ended = (await instancesOf(aws)).filter(({ State }) => State?.Name === 'terminated');
    expect(ended.map(({ InstanceId }) => InstanceId)).toEqual([one, other]);
    expect(ended[0]?.StateTransitionReason).toMatch(
      /^User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)$/,
    );
    expect(ended[1]?.StateReason?.Code).toBe('Client.InstanceInitiatedShutdown');
    expect(await groupIdsOf(aws)).toHaveLength(1); // the group has replaced the one that ended by itself
  });

  test('starts and ends instances slowly when the test asks for it', async () => {
    const aws = await world();
    const states = async () => [
      (await groupOf(aws)).Instances?.map(({ LifecycleState }) => LifecycleState),
      (await instancesOf(aws)).map(({ State }) => State?.Name),
    ];
    const pace = (launchSeconds: number, terminateSeconds: number): Promise<void> =>
      setPace(aws.awsUrl, aws.group, { launchSeconds, terminateSeconds });
    await pace(3_600, 3_600);
    await setDesired(aws, 1);
    expect(await states()).toEqual([['Pending'], ['pending']]);
    await pace(0, 3_600);
    expect(await states()).toEqual([['InService'], ['running']]);

    const [id = ''] = await groupIdsOf(aws);
    await terminate(aws, id, true);
    expect(await states()).toEqual([['Terminating'], ['shutting-down']]);
    const [ending] = await instancesOf(aws);
    await expect(terminate(aws, id, false)).rejects.toMatchObject({
      name: expect.stringContaining('ScalingActivityInProgress'),
    });
    expect((await groupOf(aws)).DesiredCapacity).toBe(0);
    await pace(0, 0);
    expect(await states()).toEqual([[], ['terminated']]);
    const [ended] = await instancesOf(aws);
    expect(ended?.StateTransitionReason).toBe(ending?.StateTransitionReason);
  });

  test('ends no protected instance, and so stays above its desired capacity', async () => {
    const aws = await world();
    await setDesired(aws, 3);
    const [one = '', unprotected = '', last = ''] = await groupIdsOf(aws);
    await aws.clients.autoScaling.send(
      new SetInstanceProtectionCommand({
        AutoScalingGroupName: aws.group,
        InstanceIds: [unprotected],
        ProtectedFromScaleIn: false,
      }),
    );
    await setDesired(aws, 0);
    expect(await groupIdsOf(aws)).toEqual([one, last]);
    expect((await activitiesOf(aws))[0]).toMatchObject({
      StatusCode: 'Cancelled',
      Description: expect.stringContaining('protected from scale-in'),
    });
    await terminate(aws, one, false);
    expect(await groupIdsOf(aws)).toEqual([last]);
  });

  test('replaces an instance that was terminated through EC2', async () => {
    const aws = await world();
    await setDesired(aws, 1);
    const [one = ''] = await groupIdsOf(aws);
    await aws.clients.ec2.send(new TerminateInstancesCommand({ InstanceIds: [one] }));
    const [replacement] = await groupIdsOf(aws);
    expect(replacement).not.toBe(one);
  });

  test('tells which processes are suspended, and launches nothing while Launch is suspended', async () => {
    const aws = await world();
    const processes = { AutoScalingGroupName: aws.group, ScalingProcesses: ['Launch'] };
    await aws.clients.autoScaling.send(new SuspendProcessesCommand(processes));
    await setDesired(aws, 1);
    expect(await groupOf(aws)).toMatchObject({
      SuspendedProcesses: [{ ProcessName: 'Launch' }],
      Instances: [],
    });
    await aws.clients.autoScaling.send(new ResumeProcessesCommand(processes));
    expect(await groupIdsOf(aws)).toHaveLength(1);
  });

  test('keeps trying when EC2 has no capacity, and reports it', async () => {
    const aws = await world();
    await limitCapacity(aws.awsUrl, aws.group, 2);
    await setDesired(aws, 4);
    expect(await groupIdsOf(aws)).toHaveLength(2);
    await eventually('the group has tried again', async () => {
      const failed = (await activitiesOf(aws)).filter(({ StatusCode }) => StatusCode === 'Failed');
      return failed.length >= 2 && failed;
    });
    expect((await activitiesOf(aws))[0]).toMatchObject({
      StatusCode: 'Failed',
      StatusMessage: expect.stringMatching(
        /^We currently do not have sufficient c7g\.large capacity in the Availability Zone you requested \(eu-central-1a\)\..*Launching EC2 instance failed\.$/,
      ),
      Description: expect.stringMatching(/^Launching a new EC2 instance\. {2}Status Reason: We currently/),
      Cause: expect.stringContaining('increasing the capacity from 2 to 4'),
    });
    await limitCapacity(aws.awsUrl, aws.group, null);
    expect(await groupIdsOf(aws)).toHaveLength(4);
  });

  test('launches nothing while its image parameter does not exist', async () => {
    const aws = await world();
    await aws.clients.ssm.send(new DeleteParameterCommand({ Name: aws.imageParameter }));
    await setDesired(aws, 1);
    expect(await groupIdsOf(aws)).toEqual([]);
    expect((await activitiesOf(aws))[0]).toMatchObject({
      StatusCode: 'Failed',
      StatusMessage: expect.stringContaining(aws.imageParameter),
    });
    await aws.moveImage();
    await eventually('the group has tried again', async () => (await groupIdsOf(aws)).length === 1);
  });

  test('shows an instance refresh', async () => {
    const aws = await world();
    const name = { AutoScalingGroupName: aws.group };
    const describe = () => aws.clients.autoScaling.send(new DescribeInstanceRefreshesCommand(name));
    expect(await describe()).toMatchObject({ InstanceRefreshes: [] });
    await aws.clients.autoScaling.send(new StartInstanceRefreshCommand(name));
    expect(await describe()).toMatchObject({ InstanceRefreshes: [{ Status: 'InProgress' }] });
  });

  test('is unknown under another name', async () => {
    const aws = await world();
    const other = { ...aws, group: 'nobodys' };
    await expect(setDesired(other, 1)).rejects.toEqual(refusal('name not found'));
    await expect(activitiesOf(other)).rejects.toEqual(refusal('name not found'));
  });
});

describe.skipIf(inject('awsUrl') === null)('a bucket of the tests’ AWS API', () => {
  test('writes under a condition', async () => {
    const { clients, bucket: Bucket } = await world();
    const put = (Body: string, condition: object) =>
      clients.s3.send(new PutObjectCommand({ Bucket, Key: 'lock', Body, ...condition }));
    const { ETag } = await put('one', { IfNoneMatch: '*' });
    await expect(put('two', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await put('three', { IfMatch: ETag });
    await expect(put('four', { IfMatch: ETag })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key: 'lock' }));
    expect(await Body?.transformToString()).toBe('three');
  });

  test('stays open under a policy that demands TLS, and is closed by a policy without a condition', async () => {
    const aws = await world();
    const { s3 } = aws.clients;
    const object = { Bucket: aws.bucket, Key: 'claims/1.json' };
    const refuse = (condition: object) =>
      s3.send(
        new PutBucketPolicyCommand({
          Bucket: aws.bucket,
          Policy: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Deny',
                Principal: '*',
                Action: 's3:PutObject',
                Resource: `arn:aws:s3:::${aws.bucket}/*`,
                ...condition,
              },
            ],
          }),
        }),
      );
    await refuse({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    await s3.send(new PutObjectCommand({ ...object, Body: '{}' }));
    await refuse({});
    await expect(s3.send(new PutObjectCommand({ ...object, Body: '{}' }))).rejects.toEqual(
      expect.objectContaining({ $metadata: expect.objectContaining({ httpStatusCode: 403 }) }),
    );
  });

  test('refuses a caller who expects another owner', async () => {
    const { clients, bucket: Bucket } = await world();
    const put = (ExpectedBucketOwner: string) =>
      clients.s3.send(new PutObjectCommand({ Bucket, Key: 'lock', Body: 'one', ExpectedBucketOwner }));
    await expect(put('210987654321')).rejects.toMatchObject({ name: 'AccessDenied' });
    await put(ACCOUNT_ID);
  });
});
