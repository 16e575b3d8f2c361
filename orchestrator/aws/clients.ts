import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { S3 } from '@aws-sdk/client-s3';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STS } from '@aws-sdk/client-sts';
import { type CheckedClient, requireRealAnswers } from './real-answer.ts';

/**
 * The time limits of one call, for the connection and for the whole answer. A look at a fleet that takes longer is
 * taken again.
 */
const TIMEOUTS = {
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  /** The longest time without a byte, even in the middle of an answer. */
  socketTimeout: 10_000,
  throwOnRequestTimeout: true,
} as const;
/**
 * The time limits of the journal's calls. A hanging call is given up while there is time to renew a lock of 15 s with
 * another: renewals begin every 5 s. The plan of 100,000 ranges is 9 MB, and may take as long as it keeps moving.
 */
const JOURNAL_TIMEOUTS = {
  connectionTimeout: 2_000,
  requestTimeout: 30_000,
  socketTimeout: 4_000,
  throwOnRequestTimeout: true,
} as const;
/** The SDK repeats reading calls, with back-off and jitter. */
const READING = { maxAttempts: 3 } as const;
/** A call that changes the fleet has one attempt. The next look shows what it did. */
const CHANGING = { maxAttempts: 1 } as const;

/** The SDK's clients. Each is created once, when it is first needed. A run on this machine loads none. */
export interface AwsClients {
  readonly region: string;
  /** The client for calls that only look. */
  autoScaling(): Promise<AutoScalingClient>;
  /** The client for calls that change the group. It never repeats a call. */
  autoScalingChanges(): Promise<AutoScalingClient>;
  ec2(): Promise<EC2Client>;
  ssm(): Promise<SSMClient>;
  sts(): Promise<STS>;
  /** The client for the journal. `certain-store.ts` repeats its calls, because it knows what a lost answer means. */
  s3(): Promise<S3>;
  close(): void;
}

/**
 * Opens the SDK's clients. Credentials and another endpoint (`AWS_ENDPOINT_URL`) come from where AWS's own tools take
 * them.
 *
 * @param profile of AWS's configuration files, which comes before the environment. Null: the environment decides
 */
export function openAws(
  region: string,
  { profile = null }: { readonly profile?: string | null } = {},
): AwsClients {
  const made: { destroy(): void }[] = [];
  const once = <T extends { destroy(): void } & CheckedClient>(
    make: () => Promise<T>,
  ): (() => Promise<T>) => {
    let client: Promise<T> | null = null;
    return () => {
      client ??= make().then((opened) => {
        made.push(opened);
        return requireRealAnswers(opened);
      });
      return client;
    };
  };
  const account = { region, ...(profile === null ? {} : { profile }) };
  const base = { ...account, requestHandler: TIMEOUTS };
  const autoScaling = async (tries: { readonly maxAttempts: number }): Promise<AutoScalingClient> => {
    const { AutoScalingClient } = await import('@aws-sdk/client-auto-scaling');
    return new AutoScalingClient({ ...base, ...tries });
  };
  return {
    region,
    autoScaling: once(() => autoScaling(READING)),
    autoScalingChanges: once(() => autoScaling(CHANGING)),
    ec2: once(async () => {
      const { EC2Client } = await import('@aws-sdk/client-ec2');
      return new EC2Client({ ...base, ...READING });
    }),
    ssm: once(async () => {
      const { SSMClient } = await import('@aws-sdk/client-ssm');
      return new SSMClient({ ...base, ...READING });
    }),
    sts: once(async () => {
      const { STS } = await import('@aws-sdk/client-sts');
      return new STS({ ...base, ...READING });
    }),
    s3: once(async () => {
      const { S3 } = await import('@aws-sdk/client-s3');
      // Another endpoint rarely has a host name for each bucket.
      const { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpointOfS3 } = process.env;
      const forcePathStyle = (endpointOfS3 ?? endpoint) !== undefined;
      return new S3({ ...account, requestHandler: JOURNAL_TIMEOUTS, maxAttempts: 1, forcePathStyle });
    }),
    close: () => {
      for (const client of made) client.destroy();
    },
  };
}
