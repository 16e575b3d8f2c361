import type { AwsCalls } from './aws-calls.ts';

/** Where what a fleet has is listed; each resource of the account is seen by one of them. */
const LISTS: readonly (readonly [service: string, operation: string, parameters?: object])[] = [
  ['autoscaling', 'DescribeAutoScalingGroups'],
  ['cloudwatch', 'DescribeAlarms'],
  ['cloudwatch', 'ListDashboards'],
  ['ec2', 'DescribeLaunchTemplates'],
  ['ec2', 'DescribeSecurityGroups'],
  ['ec2', 'DescribeVolumes'],
  ['iam', 'ListInstanceProfiles'],
  ['iam', 'ListPolicies', { Scope: 'Local' }],
  ['iam', 'ListRoles'],
  ['lambda', 'ListFunctions'],
  ['logs', 'DescribeLogGroups'],
  ['s3', 'ListBuckets'],
  ['scheduler', 'ListSchedules'],
  ['ssm', 'DescribeParameters'],
];

/** Lists that have something of this name, as `service.operation`, each with how often it stands there. */
export async function listsThatName(
  calls: AwsCalls,
  url: string,
  name: string,
): Promise<Readonly<Record<string, number>>> {
  const found: [string, number][] = [];
  for (const [service, operation, parameters = {}] of LISTS) {
    const answer = await calls.call({ service, operation, parameters: { ...parameters } }, url);
    const times = JSON.stringify(answer).split(name).length - 1;
    if (times > 0) found.push([`${service}.${operation}`, times]);
  }
  return Object.fromEntries(found);
}
