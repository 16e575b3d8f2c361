import * as aws from '@pulumi/aws';
import type { InvokeOptions } from '@pulumi/pulumi';

/** Where a stack is. AWS knows this, so nobody has to write it. */
export interface Place {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
}

/** Asks the provider of these options for account and region. The provider only looks up whose credentials it has. */
export async function readPlace(options: InvokeOptions = {}): Promise<Place> {
  const [{ accountId: account }, { region }, { partition }] = await Promise.all([
    aws.getCallerIdentity({}, options),
    aws.getRegion({}, options),
    aws.getPartition({}, options),
  ]);
  return { account, region, partition };
}
