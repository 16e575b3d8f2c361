import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import { journalTag } from '../exclusion/journal-place.ts';
import { bucketPolicy } from '../access/bucket-policy.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';

export interface FleetJournalArgs {
  readonly settings: StackSettings;
  readonly names: Names;
  /** The engine calls it before it deletes the bucket. */
  readonly beforeDelete: readonly pulumi.ResourceHook[];
}

/** The bucket of claims, locks and journals. It is versioned, encrypted and private, and answers only with TLS. */
export class FleetJournal extends pulumi.ComponentResource {
  readonly bucket: aws.s3.Bucket;
  /** The resources that configure the bucket. */
  readonly parts: readonly pulumi.Resource[];

  constructor(name: string, args: FleetJournalArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:FleetJournal', name, {}, options);
    const { settings, names, beforeDelete } = args;
    this.bucket = new aws.s3.Bucket(
      name,
      {
        bucket: names.bucket,
        // With `protect` off a destroy leaves nothing behind.
        forceDestroy: true,
        tags: { ...tagsOf(names, settings.tags), ...journalTag(names) },
      },
      child(this, {
        protect: settings.protect,
        // Another bucket has another name. So the old one, with its journals, goes only when everything else is deployed.
        deleteBeforeReplace: false,
        hooks: { beforeDelete: [...beforeDelete] },
      }),
    );
    const bucket = this.bucket.bucket;
    const versioning = new aws.s3.BucketVersioning(
      name,
      { bucket, versioningConfiguration: { status: 'Enabled' } },
      child(this),
    );
    const access = new aws.s3.BucketPublicAccessBlock(
      name,
      {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      child(this),
    );
    this.parts = [
      versioning,
      access,
      new aws.s3.BucketOwnershipControls(
        name,
        { bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } },
        child(this),
      ),
      new aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
        child(this),
      ),
      new aws.s3.BucketLifecycleConfiguration(
        name,
        { bucket, rules: [expiry(settings.journal.recover_days)] },
        // Only a bucket with versions takes rules for versions that are not current.
        child(this, { dependsOn: versioning }),
      ),
      new aws.s3.BucketPolicy(
        name,
        { bucket, policy: JSON.stringify(bucketPolicy(names)) },
        // S3 changes a bucket's policy and its access block one after the other, or answers 409.
        child(this, { dependsOn: access }),
      ),
    ];
    this.registerOutputs({ bucket });
  }
}

/**
 * Current objects never expire. `sweep` deletes them by age and keeps what a rollback needs, which a rule of a bucket cannot
 * know. Heartbeats of locks replace each other every few seconds, so versions that are not current expire after a while.
 */
function expiry(recoverDays: number): aws.types.input.s3.BucketLifecycleConfigurationRule {
  return {
    id: 'what-was-replaced-or-deleted',
    status: 'Enabled',
    filter: { prefix: '' },
    noncurrentVersionExpiration: { noncurrentDays: recoverDays },
    expiration: { expiredObjectDeleteMarker: true },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
  };
}
