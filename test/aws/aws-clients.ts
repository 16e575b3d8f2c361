import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';

export const REGION = 'eu-central-1';
/** Moto's account, whoever calls. */
export const ACCOUNT_ID = '123456789012';

/** A test's own look at the cloud, and its hand in it. */
export interface TestClients {
  readonly autoScaling: AutoScalingClient;
  readonly ec2: EC2Client;
  readonly ssm: SSMClient;
  readonly s3: S3Client;
  destroy(): void;
}

/** An environment without the machine's settings for AWS. Profile, region and endpoint of its user stay out of tests. */
export function testClients(url: string): TestClients {
  const options = {
    endpoint: url,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const clients = {
    autoScaling: new AutoScalingClient(options),
    ec2: new EC2Client(options),
    ssm: new SSMClient(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
  };
  return {
    ...clients,
    destroy() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

/** For a process that calls AWS's API at this address. */
export function awsEnvironment(
  url: string,
  credentials = { accessKeyId: 'test', secretAccessKey: 'test' },
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}
