import type { AwsAnswer } from '../aws-calls.ts';
import { type Call, textIn } from './kind.ts';
import { members } from './names.ts';
import { REGION } from '../../aws/aws-clients.ts';

type Values = Readonly<Record<string, unknown>>;

/** What a program asks of its provider, from AWS itself. */
export const lookups: Readonly<Record<string, (args: Values, call: Call) => Promise<Values>>> = {
  'aws:index/getCallerIdentity:getCallerIdentity': async (_args, call) => ({
    accountId: textIn(await caller(call), 'Account'),
  }),
  'aws:index/getPartition:getPartition': async (_args, call) => ({
    partition: textIn(await caller(call), 'Arn').split(':')[1],
  }),
  // A provider's own setting.
  'aws:index/getRegion:getRegion': () => Promise.resolve({ region: REGION }),
  'aws:ec2/getVpc:getVpc': async ({ default: isDefault, ...others }, call) => {
    const answer = await call('ec2', 'DescribeVpcs', {
      ...members(others),
      Filters: [{ Name: 'is-default', Values: [String(isDefault)] }],
    });
    return { id: textIn(answer, 'Vpcs', 0, 'VpcId') };
  },
  'aws:ec2/getSubnets:getSubnets': async (args, call) => {
    const { Subnets } = await call('ec2', 'DescribeSubnets', members(args));
    return { ids: (Subnets as { SubnetId: string }[]).map(({ SubnetId }) => SubnetId) };
  },
};

function caller(call: Call): Promise<AwsAnswer> {
  return call('sts', 'GetCallerIdentity', {});
}
