import { ACCOUNT_ID, REGION } from '../../aws/aws-clients.ts';
import type { AwsAnswer, AwsOperation } from '../aws-calls.ts';
import type { Call } from './kind.ts';

type Parameters = Readonly<Record<string, unknown>>;

const iam = (resource: string, name: unknown): string =>
  `arn:aws:iam::${ACCOUNT_ID}:${resource}/${String(name)}`;
const arn = (service: string, resource: string, name: unknown): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}:${String(name)}`;

/** What AWS would answer, as far as anybody looks at it. */
const ANSWERS: Readonly<Record<string, (parameters: Parameters) => AwsAnswer>> = {
  AuthorizeSecurityGroupEgress: () => ({
    SecurityGroupRules: [{ SecurityGroupRuleId: 'sgr-00000000000000001' }],
  }),
  AuthorizeSecurityGroupIngress: () => ({
    SecurityGroupRules: [{ SecurityGroupRuleId: 'sgr-00000000000000002' }],
  }),
  CreateFunction: ({ FunctionName }) => ({ FunctionArn: arn('lambda', 'function', FunctionName) }),
  CreateLaunchTemplate: () => ({ LaunchTemplate: { LaunchTemplateId: 'lt-00000000000000001' } }),
  CreatePolicy: ({ PolicyName }) => ({ Policy: { Arn: iam('policy', PolicyName) } }),
  CreateRole: ({ RoleName }) => ({ Role: { Arn: iam('role', RoleName) } }),
  CreateSecurityGroup: () => ({ GroupId: 'sg-00000000000000001' }),
  DescribeAlarms: ({ AlarmNames }) => ({
    MetricAlarms: [{ AlarmArn: arn('cloudwatch', 'alarm', AlarmNames) }],
  }),
  DescribeSubnets: () => ({ Subnets: [{ SubnetId: 'subnet-00000000000000001' }] }),
  DescribeVpcs: () => ({ Vpcs: [{ VpcId: 'vpc-00000000000000001' }] }),
  GetCallerIdentity: () => ({ Account: ACCOUNT_ID, Arn: iam('user', 'test') }),
};

/** Makes nothing: tells of every call, and answers it. */
export function unmade(tell: (call: AwsOperation) => Promise<void> | void): Call {
  return async (service, operation, parameters) => {
    await tell({ service, operation, parameters });
    return ANSWERS[operation]?.(parameters) ?? {};
  };
}
