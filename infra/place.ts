import * as aws from '@pulumi/aws';
import type { InvokeOptions } from '@pulumi/pulumi';

/** Where a stack is: what AWS knows and nobody should have to type. */
export interface Place {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
}

/** Asks the provider of these options, which reads nothing but whose credentials they are. */
export async function readPlace(options: InvokeOptions = {}): Promise<Place> {
  const [{ accountId: account }, { region }, { partition }] = await Promise.all([
    aws.getCallerIdentity({}, options),
    aws.getRegion({}, options),
    aws.getPartition({}, options),
  ]);
  return { account, region, partition };
}
