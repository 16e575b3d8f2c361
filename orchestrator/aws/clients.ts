import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { S3 } from '@aws-sdk/client-s3';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STS } from '@aws-sdk/client-sts';

/** Time for one call: connection, and then the whole answer. A look at a fleet that takes longer is taken again. */
const TIMEOUTS = {
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  /** Without a byte, also in the midst of an answer. */
  socketTimeout: 10_000,
  throwOnRequestTimeout: true,
} as const;
/**
 * Of the journal's calls. A hanging one is given up while there is time to renew a lock of 15 s by another: renewals
 * begin every 5 s. A plan of 100,000 ranges is 9 MB, and may take long as long as it is on its way.
 */
const JOURNAL_TIMEOUTS = {
  connectionTimeout: 2_000,
  requestTimeout: 30_000,
  socketTimeout: 4_000,
  throwOnRequestTimeout: true,
} as const;
/** Reading calls are repeated by the SDK, with back-off and jitter. */
const READING = { maxAttempts: 3 } as const;
/** A call that changes the fleet has one attempt: what it did is seen by the next look. */
const CHANGING = { maxAttempts: 1 } as const;

/** The SDK's clients, each made once, for whoever needs it first: none is loaded for a run on this machine. */
export interface AwsClients {
  readonly region: string;
  /** For calls that only look. */
  autoScaling(): Promise<AutoScalingClient>;
  /** For calls that change the group: never repeated. */
  autoScalingChanges(): Promise<AutoScalingClient>;
  ec2(): Promise<EC2Client>;
  ssm(): Promise<SSMClient>;
  sts(): Promise<STS>;
  /** Journal calls are repeated by `certain-store.ts`, which knows what a lost answer means. */
  s3(): Promise<S3>;
  close(): void;
}

/**
 * Credentials come from where AWS's own tools take them, and so does an endpoint of one's own (`AWS_ENDPOINT_URL`).
 *
 * @param profile of AWS's configuration files, over whatever the environment says; null: as the environment says
 */
export function openAws(
  region: string,
  { profile = null }: { readonly profile?: string | null } = {},
): AwsClients {
  const made: { destroy(): void }[] = [];
  const once = <T extends { destroy(): void }>(make: () => Promise<T>): (() => Promise<T>) => {
    let client: Promise<T> | null = null;
    return () => {
      client ??= make().then((opened) => {
        made.push(opened);
        return opened;
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
      // An endpoint of one's own rarely has a host name for each bucket.
      const { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpointOfS3 } = process.env;
      const forcePathStyle = (endpointOfS3 ?? endpoint) !== undefined;
      return new S3({ ...account, requestHandler: JOURNAL_TIMEOUTS, maxAttempts: 1, forcePathStyle });
    }),
    close: () => {
      for (const client of made) client.destroy();
    },
  };
}
