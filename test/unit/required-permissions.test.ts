import { expect, test } from 'vitest';
import type { AwsCall } from '../aws/aws-call.ts';
import { type CloudFacts, permissionsOf } from '../infra/required-permissions.ts';

/** What IAM asks for the calls of orchestrator, workers and sweeper; the pages stand in the file itself. */

const GROUP =
  'arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0f1e:autoScalingGroupName/books';
const FACTS: CloudFacts = {
  place: { partition: 'aws', region: 'eu-central-1', account: '123456789012' },
  groupArn: async (name) => (name === 'books' ? GROUP : null),
  groupArnOfInstance: async (id) => (id === 'i-0a' ? GROUP : null),
  hasObject: async (_, key) => key === 'there',
};

async function asks(name: string, parameters: AwsCall['parameters'] = {}): Promise<unknown[]> {
  const [service = '', action = ''] = name.split(':');
  const permissions = await permissionsOf({ service, action, parameters, instanceIds: [] }, FACTS);
  return permissions.map(({ action, resource, context }) =>
    Object.keys(context).length === 0 ? [action, resource] : [action, resource, context],
  );
}

const object = { Bucket: 'journals' };

test.each<[string, AwsCall['parameters'], unknown[]]>([
  ['sts:GetCallerIdentity', {}, []],
  ['autoscaling:DescribeAutoScalingGroups', {}, [['autoscaling:DescribeAutoScalingGroups', '*']]],
  ['ec2:DescribeInstances', {}, [['ec2:DescribeInstances', '*']]],
  [
    'autoscaling:SetDesiredCapacity',
    { AutoScalingGroupName: 'books' },
    [['autoscaling:SetDesiredCapacity', GROUP]],
  ],
  [
    'autoscaling:SetDesiredCapacity',
    { AutoScalingGroupName: 'none' },
    [['autoscaling:SetDesiredCapacity', '*']],
  ],
  [
    'autoscaling:TerminateInstanceInAutoScalingGroup',
    { InstanceId: 'i-0a' },
    [['autoscaling:TerminateInstanceInAutoScalingGroup', GROUP]],
  ],
  [
    'autoscaling:TerminateInstanceInAutoScalingGroup',
    { InstanceId: 'i-0b' },
    [['autoscaling:TerminateInstanceInAutoScalingGroup', '*']],
  ],
  [
    'ssm:GetParameter',
    { Name: '/books/token' },
    [['ssm:GetParameter', 'arn:aws:ssm:eu-central-1:123456789012:parameter/books/token']],
  ],
  [
    'ssm:GetParameter',
    { Name: 'token' },
    [['ssm:GetParameter', 'arn:aws:ssm:eu-central-1:123456789012:parameter/token']],
  ],
  [
    'ssm:GetParametersByPath',
    { Path: '/books/worker' },
    [['ssm:GetParametersByPath', 'arn:aws:ssm:eu-central-1:123456789012:parameter/books/worker']],
  ],
  ['s3:GetObject', { ...object, Key: 'there' }, [['s3:GetObject', 'arn:aws:s3:::journals/there']]],
  [
    's3:GetObject',
    { ...object, Key: 'not/there' },
    [
      ['s3:GetObject', 'arn:aws:s3:::journals/not/there'],
      ['s3:ListBucket', 'arn:aws:s3:::journals'],
    ],
  ],
  [
    's3:PutObject',
    { ...object, Key: 'a/b', 'if-none-match': '*' },
    [['s3:PutObject', 'arn:aws:s3:::journals/a/b']],
  ],
  ['s3:DeleteObject', { ...object, Key: 'a' }, [['s3:DeleteObject', 'arn:aws:s3:::journals/a']]],
  [
    's3:ListObjectsV2',
    { ...object, Prefix: 'a/' },
    [['s3:ListBucket', 'arn:aws:s3:::journals', { 's3:prefix': 'a/' }]],
  ],
  ['s3:ListObjectsV2', object, [['s3:ListBucket', 'arn:aws:s3:::journals']]],
  ['s3:HeadBucket', object, [['s3:ListBucket', 'arn:aws:s3:::journals']]],
])('the required IAM permissions of the call %s with %j are known', async (name, parameters, permissions) => {
  expect(await asks(name, parameters)).toEqual(permissions);
});

test.each([
  'ec2:RunInstances',
  'autoscaling:UpdateAutoScalingGroup',
  's3:GetObject?acl',
  'dynamodb:DescribeTable',
  'ssm:PutParameter',
])('the required IAM permissions of the call %s are refused as unknown', async (name) => {
  await expect(asks(name)).rejects.toThrow(`What IAM asks for ${name} is not known here.`);
});

test('the required IAM permissions of a write with If-Match are refused, because no code makes such a write', async () => {
  await expect(asks('s3:PutObject', { ...object, Key: 'a', 'if-match': 'x' })).rejects.toThrow('If-Match');
});
