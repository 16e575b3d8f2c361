import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { REGION } from '../aws/aws-clients.ts';
import { denialOf } from '../aws/aws-fault-answer.ts';
import { groupIdsOf, groupOf } from '../aws/group.ts';
import { callsOutside, secondDecrements } from '../aws/fleet-rules.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';

describe.skipIf(inject('awsUrl') === null)('the proxy before the tests’ AWS API', () => {
  let aws: AwsWorld;
  let proxy: ApiProxy;
  let autoScaling: AutoScalingClient;
  let ec2: EC2Client;
  let ssm: SSMClient;
  let s3: S3Client;
  beforeEach(async () => {
    aws = await makeWorld({ onTestFinished }, { maximum: 4 });
    proxy = await startApiProxy({ onTestFinished }, aws.awsUrl);
    const options = {
      endpoint: proxy.url,
      region: REGION,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    };
    autoScaling = new AutoScalingClient(options);
    ec2 = new EC2Client(options);
    ssm = new SSMClient(options);
    s3 = new S3Client({ ...options, forcePathStyle: true });
    onTestFinished(() => [autoScaling, ec2, ssm, s3].forEach((client) => client.destroy()));
  });

  const setDesired = (DesiredCapacity: number) =>
    autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: aws.group, DesiredCapacity }));
  const terminate = (InstanceId: string) =>
    autoScaling.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity: true }),
    );
  /** Past the proxy. */
  const desired = async (): Promise<number | undefined> => (await groupOf(aws)).DesiredCapacity;

  test('records each call with its service, action and parameters', async () => {
    await setDesired(1);
    const ids = await groupIdsOf(aws);
    await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids }));
    await ssm.send(new GetParameterCommand({ Name: aws.imageParameter }));
    await s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'a/b c', Body: 'x', IfNoneMatch: '*' }));
    await s3.send(new HeadObjectCommand({ Bucket: aws.bucket, Key: 'a/b c' }));
    await expect(s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
    const object = { Bucket: aws.bucket, Key: 'a/b c' };
    expect(proxy.calls).toMatchObject([
      {
        service: 'autoscaling',
        action: 'SetDesiredCapacity',
        parameters: { AutoScalingGroupName: aws.group, DesiredCapacity: '1' },
        status: 200,
      },
      { service: 'ec2', action: 'DescribeInstances', instanceIds: ids, status: 200 },
      { service: 'ssm', action: 'GetParameter', parameters: { Name: aws.imageParameter }, status: 200 },
      { service: 's3', action: 'PutObject', parameters: { ...object, 'if-none-match': '*' }, status: 200 },
      { service: 's3', action: 'HeadObject', parameters: object, status: 200 },
      { service: 's3', action: 'GetObject', status: 404, errorCode: 'NoSuchKey' },
    ]);
  });

  test('loses an answer after the call took effect, or loses the call itself', async () => {
    proxy.fail({ action: 'SetDesiredCapacity', times: 1, with: 'lost answer' });
    proxy.fail({ action: 'SetDesiredCapacity', times: 1, with: 'lost call' });
    await expect(setDesired(2)).rejects.toThrow('socket hang up');
    expect(await desired()).toBe(2);
    await expect(setDesired(3)).rejects.toThrow('socket hang up');
    expect(await desired()).toBe(2);
    await setDesired(4);
    expect(await desired()).toBe(4);
    expect(proxy.calls.map(({ cloudStatus, status }) => [cloudStatus, status])).toEqual([
      [200, null],
      [null, null],
      [200, 200],
    ]);
  });

  test('refuses in the words of each service, as the SDK understands them', async () => {
    const calls = {
      DescribeAutoScalingGroups: () => autoScaling.send(new DescribeAutoScalingGroupsCommand({})),
      DescribeInstances: () => ec2.send(new DescribeInstancesCommand({})),
      GetParameter: () => ssm.send(new GetParameterCommand({ Name: aws.imageParameter })),
      PutObject: () => s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'x', Body: 'x' })),
    };
    const heard: unknown[] = [];
    for (const [action, send] of Object.entries(calls)) {
      for (const fault of ['throttled', 'unavailable', 'internal error'] as const) {
        proxy.fail({ action, times: 1, with: fault });
        const error = await send().catch(
          (error: { name: string; $metadata: { httpStatusCode: number } }) => error,
        );
        heard.push('name' in error ? [error.name, error.$metadata.httpStatusCode] : error);
      }
      await send();
      proxy.mend();
    }
    expect(heard).toEqual([
      ['Throttling', 400],
      ['ServiceUnavailable', 503],
      ['InternalFailure', 500],
      ['RequestLimitExceeded', 503],
      ['Unavailable', 503],
      ['InternalError', 500],
      ['ThrottlingException', 400],
      ['ServiceUnavailable', 503],
      ['InternalServerError', 500],
      ['SlowDown', 503],
      ['ServiceUnavailable', 503],
      ['InternalError', 500],
    ]);
  });

  test('answers with an error of AWS in place of the call', async () => {
    const error = {
      status: 400,
      code: 'ScalingActivityInProgress',
      message: 'A scaling activity is in progress.',
    };
    proxy.fail({ action: 'SetDesiredCapacity', times: 1, with: error });
    await expect(setDesired(2)).rejects.toMatchObject({
      name: expect.stringContaining('ScalingActivityInProgress'),
      message: error.message,
    });
    expect(await desired()).toBe(0);
  });

  test('answers a call that its guard refuses in the words of its service, and keeps it from AWS', async () => {
    const asked: unknown[] = [];
    proxy.guard(async ({ service, action }, accessKeyId) => {
      asked.push([accessKeyId, action]);
      const denial = { caller: 'me', action: `${service}:${action}`, resource: 'it' };
      return action.startsWith('Describe') ? null : denialOf(service, denial);
    });
    proxy.fail({ action: 'SetDesiredCapacity', times: 1, with: 'throttled' });
    await expect(setDesired(1)).rejects.toThrow('Rate exceeded');
    const answers = await Promise.allSettled([
      setDesired(1),
      ssm.send(new GetParameterCommand({ Name: aws.imageParameter })),
      s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'x', Body: 'x' })),
      ec2.send(new DescribeInstancesCommand({})),
    ]);
    const words = (action: string) =>
      `User: me is not authorized to perform: ${action} on resource: it because no identity-based policy allows the ${action} action`;
    expect(answers).toMatchObject([
      { reason: { name: 'AccessDenied', message: words('autoscaling:SetDesiredCapacity') } },
      { reason: { name: 'AccessDeniedException', message: words('ssm:GetParameter') } },
      { reason: { name: 'AccessDenied', message: words('s3:PutObject') } },
      { status: 'fulfilled' },
    ]);
    expect(await desired()).toBe(0);
    // Who is throttled is not asked.
    expect(asked).toHaveLength(4);
    expect(asked).toContainEqual(['test', 'SetDesiredCapacity']);
    proxy.guard(null);
    await setDesired(1);
  });

  test('makes a bucket answer with a conflict, or ignore conditions', async () => {
    const put = (Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'lock', Body, IfNoneMatch: '*' }));
    proxy.fail({ action: 'PutObject', times: 1, with: 'conflict' });
    await expect(put('one')).rejects.toMatchObject({
      name: 'ConditionalRequestConflict',
      $metadata: { httpStatusCode: 409 },
    });
    await put('two');
    await expect(put('three')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    proxy.fail({ action: 'PutObject', with: 'without condition' });
    await put('four');
  });

  test('delays an answer until after the call has taken effect', async () => {
    proxy.fail({ action: 'SetDesiredCapacity', with: { delayMs: 1_500 } });
    const begin = performance.now();
    await setDesired(1);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(1_400);
    expect(await desired()).toBe(1);
  });

  test('finds a second decrement and a call outside the group', async () => {
    await setDesired(2);
    const ids = await groupIdsOf(aws);
    const [one = '', other = ''] = ids;
    proxy.fail({ action: 'TerminateInstanceInAutoScalingGroup', times: 1, with: 'throttled' });
    proxy.fail({ action: 'TerminateInstanceInAutoScalingGroup', times: 1, after: 1, with: 'lost call' });
    await expect(terminate(one)).rejects.toThrow('Rate exceeded');
    await terminate(one);
    await expect(terminate(other)).rejects.toThrow('socket hang up');
    const fleet = { group: aws.group, instanceIds: ids };
    expect(secondDecrements(proxy.calls)).toEqual([]);
    expect(callsOutside(proxy.calls, fleet)).toEqual([]);

    await terminate(other); // it could not know that the first did not come to AWS
    await expect(terminate('i-0123456789abcdef0')).rejects.toThrow('Instance Id not found');
    expect(secondDecrements(proxy.calls)).toEqual([other]);
    expect(callsOutside(proxy.calls, fleet)).toEqual([
      'TerminateInstanceInAutoScalingGroup i-0123456789abcdef0',
    ]);
  });
});
