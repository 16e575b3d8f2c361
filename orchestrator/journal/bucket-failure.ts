import { awsCodeOf, awsFailure, awsStatusOf, awsWords, missingPermission } from '../aws/aws-error.ts';
import { messageOf, RunFailed, Unreachable } from '../errors.ts';

/**
 * The actions as IAM names them: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export type BucketAction = 's3:ListBucket' | 's3:GetObject' | 's3:PutObject' | 's3:DeleteObject';

export interface FailedCall {
  readonly action: BucketAction;
  readonly doing: 'read' | 'written';
  readonly bucket: string;
  readonly key: string;
  /** The account of the credentials. */
  readonly account: string;
  /** The region in the settings. */
  readonly region: string;
}

/** The bucket does not exist, as before a stack's first deployment. Exit 1. */
export class BucketMissing extends RunFailed {}

/**
 * The codes with which S3 says that a bucket is in another region:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
 */
const ELSEWHERE = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/**
 * Makes the error for a bucket that does not take or give a part of the journal. It has the call, the key, what S3 said
 * and what to do.
 *
 * @returns Unreachable where another try may help by itself, BucketMissing where the bucket does not exist
 */
export function bucketFailure(call: FailedCall, error: unknown): RunFailed {
  const { action, doing, bucket, key } = call;
  const place = { action, resource: `s3://${bucket}/${key}` };
  const advice = adviceOn(call, error);
  const cause = { cause: error };
  if (advice !== null) {
    const sentence = `the journal cannot be ${doing}: ${action} on ${place.resource}: ${awsWords(error)} (${advice}, then give the same command again)`;
    return isAbsent(error) ? new BucketMissing(sentence, cause) : new RunFailed(sentence, cause);
  }
  if (isConflict(error))
    return new Unreachable(
      `the journal cannot be ${doing}: ${action} on ${place.resource}: ${awsWords(error)} (another write of the same key is under way; give the same command again)`,
      cause,
    );
  const failure = awsFailure(place, error);
  const sentence = `the journal cannot be ${doing}: ${failure.message}`;
  return failure instanceof Unreachable ? new Unreachable(sentence, cause) : new RunFailed(sentence, cause);
}

/** The bucket's region, if S3 says that it is another one. `another region` if S3 does not name it. */
function regionElsewhere(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (!ELSEWHERE.has(awsCodeOf(error)) && awsStatusOf(error) !== 301) return null;
  const headers =
    '$response' in error ? (error.$response as { headers?: Record<string, string> }).headers : {};
  const said = headers?.['x-amz-bucket-region'] ?? ('Region' in error ? String(error.Region) : undefined);
  return said ?? 'another region';
}

function adviceOn({ action, bucket, account, region }: FailedCall, error: unknown): string | null {
  const elsewhere = regionElsewhere(error);
  if (elsewhere !== null)
    return `the bucket is in ${elsewhere}, not in ${region}: correct aws.region or journal.url`;
  if (isAbsent(error))
    return `the bucket ${bucket} does not exist: create it in account ${account}, or correct journal.url`;
  const permission = missingPermission(error, action);
  if (permission === null) return null;
  const missing = `the permission ${permission} is missing: allow it for ${bucket}`;
  // S3 answers alike for somebody else's bucket and for a missing permission, but for the latter it mostly names the
  // permission.
  return messageOf(error).includes('not authorized to perform')
    ? missing
    : `${missing}; or the bucket does not belong to account ${account}: correct journal.url`;
}

function isAbsent(error: unknown): boolean {
  return awsCodeOf(error) === 'NoSuchBucket';
}

/**
 * Whether two conditional writes of one key met:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
function isConflict(error: unknown): boolean {
  return awsStatusOf(error) === 409 && awsCodeOf(error) === 'ConditionalRequestConflict';
}
