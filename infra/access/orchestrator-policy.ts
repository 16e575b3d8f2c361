import { SOURCE_PARAMETERS, TARGET_PARAMETERS } from '../../orchestrator/run/credentials.ts';
import type { Names } from '../names.ts';
import { parameterArn } from './arns.ts';
import { changeTheGroup, keepTheJournal } from './fleet-statements.ts';
import { policy, type PolicyDocument } from './policy-document.ts';

/**
 * All that a run and every other command of the orchestrator call. Describe calls of EC2 and Auto Scaling know no resource
 * but `*` (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html): they show the account's
 * instances, and change nothing. Launching is the group's, so neither RunInstances nor PassRole stands here.
 *
 * Of the workers' parameters it reads those with passwords, where it has none itself. Also those that are not there: Parameter
 * Store says so to nobody who may not read them.
 */
export function orchestratorPolicy(names: Names): PolicyDocument {
  const secrets = [...SOURCE_PARAMETERS, ...TARGET_PARAMETERS];
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
      Sid: 'ReadImageAndToken',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: [names.imageParameter, names.tokenParameter].map((name) => parameterArn(names, name)),
    },
    {
      Sid: 'ReadThePasswords',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: secrets.map((name) => parameterArn(names, `${names.workerParameters}/${name}`)),
    },
    ...keepTheJournal(names),
  );
}
