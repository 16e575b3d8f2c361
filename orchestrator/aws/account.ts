import { RunFailed } from '../errors.ts';
import { naming } from './aws-error.ts';
import type { AwsClients } from './clients.ts';

/** The account of this process's credentials, twelve digits. Every identity may ask for it. */
export async function callerAccount(aws: AwsClients): Promise<string> {
  const sts = await aws.sts();
  const resource = `this process’s credentials in region ${aws.region}`;
  const { Account: account } = await naming({ action: 'sts:GetCallerIdentity', resource }, () =>
    sts.getCallerIdentity(),
  );
  if (account === undefined)
    throw new RunFailed('sts:GetCallerIdentity returned no account: check AWS_ENDPOINT_URL');
  return account;
}
