import { SOURCE_PARAMETERS, TARGET_PARAMETERS } from '../../orchestrator/run/credentials.ts';
import type { Names } from '../names.ts';
import { parameterArn } from './arns.ts';
import { changeTheGroup, keepTheJournal } from './fleet-statements.ts';
import { policy, type PolicyDocument } from './policy-document.ts';

/**
 * Allows everything that a run and the other commands of the orchestrator call. Describe calls of EC2 and Auto Scaling accept
 * only the resource `*` (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html). They show
 * the account's instances and change nothing. The group launches instances, so RunInstances and PassRole are not here.
 *
 * The orchestrator reads passwords from the workers' parameters if it has none itself. The policy also allows parameters that
 * may not exist: Parameter Store says that one is missing only to a caller that may read it.
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
