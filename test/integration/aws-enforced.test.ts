import { AutoScalingClient, SetDesiredCapacityCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startApiProxy } from '../aws/api-proxy.ts';
import { REGION } from '../aws/aws-clients.ts';
import { type Credentials, startEnforcedAws } from '../aws/enforced-aws.ts';
import { groupOf } from '../aws/group.ts';
import { makeWorld } from '../aws/world.ts';

interface Heard {
  readonly name: string;
  readonly message: string;
  readonly $metadata: { readonly httpStatusCode: number };
}

test.skipIf(inject('awsUrl') === null)(
  'the tests’ AWS API enforces credentials and policies when asked to, through a proxy too',
  async () => {
    const scope = { onTestFinished };
    const aws = await startEnforcedAws(scope);
    const world = await makeWorld(scope, { maximum: 2, awsUrl: aws.url });
    const proxy = await startApiProxy(scope, aws.url);
    const everything = await aws.credentialsWithout();
    const less = await aws.credentialsWithout(
      'autoscaling:SetDesiredCapacity',
      'ec2:DescribeInstances',
      'ssm:GetParameter',
      's3:PutObject',
    );
    await aws.enforce();

    /** What becomes of a call of each service. */
    const hear = async (credentials: Credentials): Promise<unknown[]> => {
      const options = { endpoint: proxy.url, region: REGION, credentials, maxAttempts: 1 };
      const desired = { AutoScalingGroupName: world.group, DesiredCapacity: 1 };
      const object = { Bucket: world.bucket, Key: 'a/b', Body: 'x', IfNoneMatch: '*' };
      const answers = await Promise.allSettled([
        new AutoScalingClient(options).send(new SetDesiredCapacityCommand(desired)),
        new EC2Client(options).send(new DescribeInstancesCommand({})),
        new SSMClient(options).send(new GetParameterCommand({ Name: world.imageParameter })),
        new S3Client({ ...options, forcePathStyle: true }).send(new PutObjectCommand(object)),
      ]);
      return answers.map((answer) => {
        if (answer.status === 'fulfilled') return 'done';
        const { name, message, $metadata } = answer.reason as Heard;
        return [name, $metadata.httpStatusCode, /not authorized to perform: \S+/.exec(message)?.[0] ?? ''];
      });
    };

    expect(await hear(less)).toEqual([
      ['AccessDenied', 403, 'not authorized to perform: autoscaling:SetDesiredCapacity'],
      ['UnauthorizedOperation', 403, 'not authorized to perform: ec2:DescribeInstances'],
      ['AccessDeniedException', 400, 'not authorized to perform: ssm:GetParameter'],
      ['AccessDenied', 403, ''],
    ]);
    expect(await hear({ accessKeyId: 'AKIANOBODY', secretAccessKey: 'none' })).toEqual([
      ['InvalidClientTokenId', 403, ''],
      ['AuthFailure', 401, ''],
      ['UnrecognizedClientException', 400, ''],
      ['InvalidAccessKeyId', 403, ''],
    ]);
    expect(await hear({ ...everything, secretAccessKey: 'another' })).toEqual([
      ['SignatureDoesNotMatch', 403, ''],
      ['AuthFailure', 401, ''],
      ['InvalidSignatureException', 400, ''],
      ['SignatureDoesNotMatch', 403, ''],
    ]);
    expect(await hear(everything)).toEqual(['done', 'done', 'done', 'done']);
    await expect(groupOf(world)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  },
);
