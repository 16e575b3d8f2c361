import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { awsCodeOf, awsStatusOf } from '../aws/aws-error.ts';
import type { AwsClients } from '../aws/clients.ts';
import { Bucket, type BucketPlace } from './bucket.ts';
import { type JournalStore, type ListPart, partOf } from './store.ts';

/** S3 lists no more names in one call. */
const NAMES_PER_CALL = 1_000;

/**
 * A journal in a bucket. A name is created by a write on the condition that it does not exist (`If-None-Match: *`). S3
 * lets one such write succeed. Reads and lists see every write that was acknowledged before.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html and Welcome.html#ConsistencyModel
 *
 * Opening makes no call. No call is repeated here, because `certain-store.ts` knows what a lost answer means.
 *
 * @throws RunFailed from every call, see `bucket-failure.ts`
 */
export function openS3Store(aws: AwsClients, place: BucketPlace): JournalStore {
  const bucket = new Bucket(aws, place);
  return {
    location: bucket.location,
    create: (name, body) => create(bucket, name, body),
    read: (name) => read(bucket, name),
    replace: (name, body) => replace(bucket, name, body),
    remove: (name) => remove(bucket, name),
    list: (folder, part) => list(bucket, folder, part),
  };
}

function create(bucket: Bucket, name: string, body: string): Promise<'created' | 'exists'> {
  return bucket.call({ action: 's3:PutObject', doing: 'written', name }, async (s3, shared) => {
    try {
      await s3.putObject({ ...shared, ...objectOf(bucket, name, body), IfNoneMatch: '*' });
      return 'created';
    } catch (error) {
      if (awsStatusOf(error) === 412) return 'exists';
      throw error;
    }
  });
}

function read(bucket: Bucket, name: string): Promise<string | null> {
  return bucket.call({ action: 's3:GetObject', doing: 'read', name }, async (s3, shared) => {
    try {
      const { Body: body } = await s3.getObject({ ...shared, Key: bucket.keyOf(name) });
      return (await body?.transformToString('utf-8')) ?? '';
    } catch (error) {
      if (awsCodeOf(error) === 'NoSuchKey') return null;
      throw error;
    }
  });
}

async function replace(bucket: Bucket, name: string, body: string): Promise<void> {
  await bucket.call({ action: 's3:PutObject', doing: 'written', name }, (s3, shared) =>
    s3.putObject({ ...shared, ...objectOf(bucket, name, body) }),
  );
}

async function remove(bucket: Bucket, name: string): Promise<void> {
  await bucket.call({ action: 's3:DeleteObject', doing: 'written', name }, (s3, shared) =>
    s3.deleteObject({ ...shared, Key: bucket.keyOf(name) }),
  );
}

async function list(bucket: Bucket, folder: string, part: ListPart = {}): Promise<string[]> {
  const { after, limit = Number.POSITIVE_INFINITY } = part;
  const within = bucket.keyOf(`${folder}/`);
  const names: string[] = [];
  let next: string | undefined;
  do {
    const page = await bucket.call(
      { action: 's3:ListBucket', doing: 'read', name: `${folder}/` },
      (s3, shared) =>
        s3.listObjectsV2({
          ...shared,
          Prefix: within,
          Delimiter: '/',
          MaxKeys: Math.min(NAMES_PER_CALL, limit - names.length),
          ...(after === undefined ? {} : { StartAfter: bucket.keyOf(after) }),
          ...(next === undefined ? {} : { ContinuationToken: next }),
        }),
    );
    names.push(...keysIn(page, within).map((key) => bucket.nameOf(key)));
    next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (next !== undefined && names.length < limit);
  return partOf(names, part);
}

/** The keys, and folders without their slash. A folder may itself be an object, made by S3's console. */
function keysIn(
  { Contents = [], CommonPrefixes = [] }: ListObjectsV2CommandOutput,
  within: string,
): string[] {
  const keys = Contents.flatMap(({ Key: key }) => (key === undefined || key === within ? [] : [key]));
  return [...keys, ...CommonPrefixes.flatMap(({ Prefix: prefix }) => prefix?.slice(0, -1) ?? [])];
}

/** The object with its length. The SDK does not find the length of an empty body. */
function objectOf(
  bucket: Bucket,
  name: string,
  text: string,
): { Key: string; Body: Buffer; ContentLength: number; ContentType: string } {
  const body = Buffer.from(text);
  return {
    Key: bucket.keyOf(name),
    Body: body,
    ContentLength: body.length,
    ContentType: 'application/json',
  };
}
