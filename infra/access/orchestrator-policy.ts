import type { Names } from '../names.ts';
import { parameterArn } from './arns.ts';
import { changeTheGroup, keepTheJournal } from './fleet-statements.ts';
import { policy, type PolicyDocument } from './policy-document.ts';

/**
 * All that a run and every other command of the orchestrator call. Describe calls of EC2 and Auto Scaling know no resource
 * but `*` (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html): they show the account's
 * instances, and change nothing. Launching is the group's, so neither RunInstances nor PassRole stands here.
 *
 * @param secrets names of the workers' parameters that hold the passwords of database and cluster
 */
export function orchestratorPolicy(names: Names, secrets: readonly string[]): PolicyDocument {
  const parameters = [names.imageParameter, names.tokenParameter, ...secrets];
  return policy(
    {
      Sid: 'Look',
      Effect: 'Allow',
      Action: [
        'autoscaling:DescribeAutoScalingGroups',
        'autoscaling:DescribeScalingActivities',
        'autoscaling:DescribeInstanceRefreshes',
        'ec2:DescribeInstances',
        'ec2:DescribeLaunchTemplateVersions',
        'ec2:DescribeImages',
      ],
      Resource: '*',
    },
    changeTheGroup(names),
    {
      Sid: 'ReadImageTokenAndPasswords',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: parameters.map((name) => parameterArn(names, name)),
    },
    ...keepTheJournal(names),
  );
}
