import { statementsIn } from './documents.ts';
import type { Linked, StackRule, Violation } from './rule.ts';
import { at, isNone, isOff, listAt, textsAt, UNKNOWN } from './values.ts';

const BUCKETS: ReadonlySet<string> = new Set(['aws:s3/bucket:Bucket', 'aws:s3/bucketV2:BucketV2']);

const ENCRYPTION = 'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
const ACCESS_BLOCK = 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock';
const POLICY = 'aws:s3/bucketPolicy:BucketPolicy';

const BLOCKS = ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'];

/** Other resources configure a bucket, so this rule looks at all of them together. */
export const privateBuckets: StackRule = {
  name: 'private-buckets',
  description: 'Buckets are encrypted, closed to the public, and answer only with TLS.',
  check: (resources) =>
    resources
      .filter(({ type }) => BUCKETS.has(type))
      .flatMap((bucket) => {
        const parts = resources.filter((part) => isPartOf(part, bucket));
        return faults(parts).map((fault) => ({ ...fault, of: bucket }));
      }),
};

/** Whether a resource configures this bucket: it has the bucket's name, or an output of it. If neither is known, it may. */
function isPartOf({ props, dependencies }: Linked, bucket: Linked): boolean {
  const of = at(props, 'bucket');
  const from = dependencies['bucket'] ?? [];
  if (of === undefined) return false;
  if (from.length > 0) return from.includes(bucket.urn);
  const name = at(bucket.props, 'bucket');
  return of === UNKNOWN || name === UNKNOWN || of === name;
}

function faults(parts: readonly Linked[]): Violation[] {
  const of = (type: string) => parts.filter((part) => part.type === type);
  return [
    ...encryption(of(ENCRYPTION)),
    ...publicAccess(of(ACCESS_BLOCK)),
    ...(of(POLICY).some(({ props }) => isTlsAlone(at(props, 'policy')))
      ? []
      : [
          {
            where: 'BucketPolicy',
            what: 'The bucket answers without TLS.',
            remedy:
              'Add a statement that denies s3:* to everybody on the condition Bool aws:SecureTransport false.',
          },
        ]),
  ];
}

function encryption(configurations: readonly Linked[]): Violation[] {
  const algorithms = configurations.flatMap(({ props }) =>
    listAt(props, 'rules').map((rule) => at(rule, 'applyServerSideEncryptionByDefault', 'sseAlgorithm')),
  );
  if (algorithms.some((algorithm) => algorithm !== undefined)) return [];
  return [
    {
      where: 'BucketServerSideEncryptionConfiguration',
      what: 'No configuration says that the bucket is encrypted.',
      remedy: 'Give it a configuration with sseAlgorithm "AES256" or "aws:kms".',
    },
  ];
}

function publicAccess(blocks: readonly Linked[]): Violation[] {
  const off = BLOCKS.filter((property) => blocks.every(({ props }) => isOff(at(props, property))));
  if (off.length === 0) return [];
  return [
    {
      where: 'BucketPublicAccessBlock',
      what: `The bucket can be opened to the public: ${off.join(', ')} ${off.length === 1 ? 'is' : 'are'} off.`,
      remedy: 'Give it a block with all four set to true.',
    },
  ];
}

function isTlsAlone(policy: unknown): boolean {
  if (policy === UNKNOWN) return true;
  return statementsIn(policy, 'policy').some(
    ({ effect, actions, condition, principal }) =>
      effect === 'Deny' &&
      actions.includes('s3:*') &&
      (principal === '*' || textsAt(principal, 'AWS').includes('*')) &&
      !isNone(at(condition, 'Bool', 'aws:SecureTransport'), 'false', false),
  );
}
