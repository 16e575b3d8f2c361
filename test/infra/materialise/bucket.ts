import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import { REGION } from '../../aws/aws-clients.ts';
import { type AnyKind, type Call, kind } from './kind.ts';
import { members, tagList } from './names.ts';

export const bucket = kind<Unwrap<aws.s3.BucketArgs>>({
  type: 'aws:s3/bucket:Bucket',
  untold: { forceDestroy: 'how it goes again: with all that is in it' },
  async make({ bucket: name, tags, ...others }, call) {
    await call('s3', 'CreateBucket', {
      Bucket: name,
      CreateBucketConfiguration: { LocationConstraint: REGION },
      ...members(others),
    });
    await call('s3', 'PutBucketTagging', { Bucket: name, Tagging: { TagSet: tagList(tags) } });
    return { id: name ?? '' };
  },
  async remove({ bucket: name, forceDestroy }, call) {
    if (forceDestroy === true) await empty(name ?? '', call);
    await call('s3', 'DeleteBucket', { Bucket: name });
  },
});

/** Every version of every object, and what marks one as deleted. */
async function empty(name: string, call: Call): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await call('s3', 'ListObjectVersions', { Bucket: name });
    const objects = [Versions, DeleteMarkers].flat() as { Key: string; VersionId: string }[];
    if (objects.length === 0) return;
    const keys = objects.map(({ Key, VersionId }) => ({ Key, VersionId }));
    await call('s3', 'DeleteObjects', { Bucket: name, Delete: { Objects: keys } });
  }
}

/** What is set on a bucket by one call and taken away by another. */
function part<Inputs extends { bucket: string }>(
  name: string,
  put: { operation: string; parameters(inputs: Omit<Inputs, 'bucket'>): Record<string, unknown> },
  remove: { operation: string; parameters?: Record<string, unknown> },
): AnyKind {
  return kind<Inputs>({
    type: `aws:s3/bucket${name}:Bucket${name}`,
    async make({ bucket: of, ...inputs }, call) {
      await call('s3', put.operation, { Bucket: of, ...put.parameters(inputs) });
      return { id: of };
    },
    async remove({ bucket: of }, call) {
      await call('s3', remove.operation, { Bucket: of, ...remove.parameters });
    },
  });
}

export const bucketParts = [
  part<Unwrap<aws.s3.BucketVersioningArgs>>(
    'Versioning',
    { operation: 'PutBucketVersioning', parameters: members },
    {
      operation: 'PutBucketVersioning',
      parameters: { VersioningConfiguration: { Status: 'Suspended' } },
    },
  ),
  part<Unwrap<aws.s3.BucketPublicAccessBlockArgs>>(
    'PublicAccessBlock',
    {
      operation: 'PutPublicAccessBlock',
      parameters: (inputs) => ({ PublicAccessBlockConfiguration: members(inputs) }),
    },
    { operation: 'DeletePublicAccessBlock' },
  ),
  part<Unwrap<aws.s3.BucketOwnershipControlsArgs>>(
    'OwnershipControls',
    {
      operation: 'PutBucketOwnershipControls',
      parameters: ({ rule, ...others }) => ({
        OwnershipControls: { Rules: [members(rule)] },
        ...members(others),
      }),
    },
    { operation: 'DeleteBucketOwnershipControls' },
  ),
  part<Unwrap<aws.s3.BucketServerSideEncryptionConfigurationArgs>>(
    'ServerSideEncryptionConfiguration',
    {
      operation: 'PutBucketEncryption',
      parameters: (inputs) => ({ ServerSideEncryptionConfiguration: members(inputs) }),
    },
    { operation: 'DeleteBucketEncryption' },
  ),
  part<Unwrap<aws.s3.BucketLifecycleConfigurationArgs>>(
    'LifecycleConfiguration',
    {
      operation: 'PutBucketLifecycleConfiguration',
      parameters: ({ rules = [], ...others }) => ({
        LifecycleConfiguration: {
          Rules: rules.map(({ id, ...rule }) => ({ ID: id, ...members(rule) })),
        },
        ...members(others),
      }),
    },
    { operation: 'DeleteBucketLifecycle' },
  ),
  part<Unwrap<aws.s3.BucketPolicyArgs>>(
    'Policy',
    { operation: 'PutBucketPolicy', parameters: members },
    { operation: 'DeleteBucketPolicy' },
  ),
];
