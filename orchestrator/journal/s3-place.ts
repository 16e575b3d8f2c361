import { type AwsClients, openAws } from '../aws/clients.ts';
import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { certainStore } from './certain-store.ts';
import { checkStore } from './check-store.ts';
import type { JournalPlace } from './place.ts';
import { openS3Store } from './s3-store.ts';
import type { JournalStore } from './store.ts';

/** Where a fleet's journal is in a bucket. */
export interface BucketJournal {
  readonly bucket: string;
  /** What the keys begin with. Slashes at its ends do not count. The fleet's name follows. */
  readonly prefix: string;
  readonly fleet: string;
}

/** A bucket's name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/**
 * What keys may begin with. These characters are safe everywhere:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export const KEY_PREFIX = /^[A-Za-z0-9!_.*'()/-]*$/;

/** A bucket of Amazon S3, or of a store that speaks its protocol. */
export const s3Place: JournalPlace = {
  scheme: 's3',
  form: 's3://bucket/prefix',
  needsAws: true,
  faultIn: (url) => {
    const { bucket, prefix } = bucketAndPrefix(url);
    if (!BUCKET_NAME.test(bucket))
      return 'This names no bucket: write s3://bucket/prefix, the bucket in small letters, digits, dots and dashes.';
    return KEY_PREFIX.test(prefix)
      ? null
      : "The prefix behind the bucket may have letters, digits and ! _ . * ' ( ) / -";
  },
  absolute: (url) => url,
  open: (url, { fleet, aws, clock }) => {
    if (aws === null)
      throw new RunFailed(`the journal ${url} is in S3, but the settings name no region: set aws.region`);
    const clients = openAws(aws.region, aws);
    const store = openBucketJournal(clients, { ...bucketAndPrefix(url), fleet }, clock);
    return {
      store,
      check: async () => {
        const faults = await checkStore(store);
        if (faults.length > 0) throw new RunFailed(faults.join('\n'));
      },
      close: () => clients.close(),
    };
  },
};

/** Opens a journal in a bucket. It makes no call yet. */
export function openBucketJournal(
  aws: AwsClients,
  { bucket, prefix, fleet }: BucketJournal,
  clock: Clock,
): JournalStore {
  const whole = [...prefix.split('/'), fleet].filter((part) => part !== '').join('/');
  return certainStore(openS3Store(aws, { bucket, prefix: whole }), clock);
}

function bucketAndPrefix(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/i.exec(url) ?? [];
  return { bucket, prefix };
}
