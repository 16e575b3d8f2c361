import { messageOf, RunFailed, Throttled, Unreachable } from '../errors.ts';

/** Names a call and its resource, for a sentence: `autoscaling:DescribeAutoScalingGroups`, `the group books-fleet`. */
export interface AwsCall {
  /** The action as IAM names it. */
  readonly action: string;
  readonly resource: string;
}

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
  'AllAccessDisabled',
]);
const BAD_CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'AuthFailure',
  'CredentialsProviderError',
  'TokenRefreshRequired',
]);
/**
 * The codes of throttled calls. The reference of Auto Scaling names `RateExceeded`
 * (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html), but it answers `Throttling`.
 */
const THROTTLED = new Set([
  'RateExceeded',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'SlowDown',
  'TooManyRequestsException',
]);

export function awsCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'Code' in error && typeof error.Code === 'string' ? error.Code : error.name;
}

export function awsStatusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null;
  const metadata = error.$metadata as { httpStatusCode?: number } | undefined;
  return metadata?.httpStatusCode ?? null;
}

export function isDenied(error: unknown): boolean {
  return DENIED.has(awsCodeOf(error));
}

/**
 * The missing permission. Null when the error has another cause. A call may need a permission of another name, and
 * mostly AWS says so: decrypting a parameter needs `kms:Decrypt`, and reading a missing object of a bucket needs
 * `s3:ListBucket`.
 */
export function missingPermission(error: unknown, action: string): string | null {
  if (!isDenied(error)) return null;
  return /not authorized to perform:? ([\w-]+:\w+)/.exec(messageOf(error))?.[1] ?? action;
}

/** Makes a call. If it throws, the error's sentence names the call, the resource and what to do. */
export async function naming<T>(call: AwsCall, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw awsFailure(call, error);
  }
}

/**
 * Makes the error for a failed call.
 *
 * @returns Unreachable where another try may help by itself; Throttled where AWS did nothing because of too many calls
 */
export function awsFailure({ action, resource }: AwsCall, error: unknown): RunFailed {
  const code = awsCodeOf(error);
  const said = `${action} on ${resource}: ${awsWords(error)}`;
  const cause = { cause: error };
  const missing = missingPermission(error, action);
  if (missing !== null)
    return new RunFailed(`${said} (the permission ${missing} is missing: allow it for ${resource})`, cause);
  if (BAD_CREDENTIALS.has(code)) return new RunFailed(`${said} (${credentialsAdvice(code)})`, cause);
  if (THROTTLED.has(code))
    return new Throttled(`${said} (AWS throttles this account's calls; give the same command again)`, cause);
  const status = awsStatusOf(error);
  if (status === null)
    return new Unreachable(
      `${said} (AWS did not answer: check the network, the region and AWS_ENDPOINT_URL)`,
      cause,
    );
  if (status >= 500)
    return new Unreachable(`${said} (AWS answered ${status}: give the same command again)`, cause);
  return new RunFailed(said, cause);
}

/** What AWS said, with its code. EC2 adds thousands of characters that only another call can decode. */
export function awsWords(error: unknown): string {
  const code = awsCodeOf(error);
  const words = messageOf(error).split(/\s*Encoded authorization failure message:/)[0] ?? '';
  return words.startsWith(code) ? words : `${code}: ${words}`;
}

function credentialsAdvice(code: string): string {
  if (code === 'CredentialsProviderError')
    return 'no AWS credentials: set AWS_PROFILE, a role, or AWS_ACCESS_KEY_ID';
  return code.includes('xpired')
    ? 'the AWS credentials have expired: renew them'
    : 'AWS does not know these credentials: check them';
}
