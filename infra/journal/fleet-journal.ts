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
}

/** The bucket of claims, locks and journals. It is versioned, encrypted and private, and answers only with TLS. */
export class FleetJournal extends pulumi.ComponentResource {
  readonly bucket: aws.s3.Bucket;
  /** The resources that configure the bucket. */
  readonly parts: readonly pulumi.Resource[];

  constructor(name: string, args: FleetJournalArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:FleetJournal', name, {}, options);
    const { settings, names } = args;
    this.bucket = new aws.s3.Bucket(
      name,
      {
        bucket: names.bucket,
        // With `protect` off a destroy leaves nothing behind.
        forceDestroy: true,
        tags: { ...tagsOf(names, settings.tags), ...journalTag(names) },
      },
      ofBucket(this, { protect: settings.protect }),
    );
    const bucket = this.bucket.bucket;
    const versioning = new aws.s3.BucketVersioning(
      name,
      { bucket, versioningConfiguration: { status: 'Enabled' } },
      ofBucket(this),
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
      ofBucket(this),
    );
    this.parts = [
      versioning,
      access,
      new aws.s3.BucketOwnershipControls(
        name,
        { bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } },
        ofBucket(this),
      ),
      new aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
        ofBucket(this),
      ),
      new aws.s3.BucketLifecycleConfiguration(
        name,
        { bucket, rules: [expiry(settings.journal.recover_days)] },
        // Only a bucket with versions takes rules for versions that are not current.
        ofBucket(this, { dependsOn: versioning }),
      ),
      new aws.s3.BucketPolicy(
        name,
        { bucket, policy: JSON.stringify(bucketPolicy(names)) },
        // S3 changes a bucket's policy and its access block one after the other, or answers 409.
        ofBucket(this, { dependsOn: access }),
      ),
    ];
    this.registerOutputs({ bucket });
  }
}

/**
 * Options of the bucket and of what configures it. Another bucket has another name. So the old one, with its journals, stays
 * as it is until everything else is deployed.
 */
function ofBucket(
  parent: pulumi.ComponentResource,
  options: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return child(parent, { ...options, deleteBeforeReplace: false });
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
