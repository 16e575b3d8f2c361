import { expect, test } from 'vitest';
import { awsFailure } from '../../orchestrator/aws/aws-error.ts';
import { RunFailed, Throttled, Unreachable } from '../../orchestrator/errors.ts';

const CALL = { action: 'ec2:DescribeInstances', resource: 'instances of the group books' };

/** As the SDK throws it. */
function thrown(name: string, message: string, httpStatusCode?: number): Error {
  const metadata = httpStatusCode === undefined ? {} : { $metadata: { httpStatusCode } };
  return Object.assign(new Error(message), { name, ...metadata });
}

test('a denial names the permission that is missing, without what nobody can read', () => {
  const error = thrown(
    'UnauthorizedOperation',
    'You are not authorized to perform this operation. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q',
    403,
  );
  expect(awsFailure(CALL, error).message).toBe(
    'ec2:DescribeInstances on instances of the group books: UnauthorizedOperation: You are not authorized to perform this operation. (the permission ec2:DescribeInstances is missing: allow it for instances of the group books)',
  );
});

test('a denial of what the call does behind it names that', () => {
  const error = thrown(
    'AccessDeniedException',
    'User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:1:key/k',
    400,
  );
  expect(awsFailure(CALL, error).message).toContain('(the permission kms:Decrypt is missing: ');
});

test.each([
  ['Throttling', 'Rate exceeded', 400, 'throttles'],
  ['InternalFailure', 'oh', 500, 'AWS answered 500'],
  ['TimeoutError', 'no answer', undefined, 'AWS did not answer'],
])('%s may pass by itself', (name, message, status, words) => {
  const failure = awsFailure(CALL, thrown(name, message, status));
  expect(failure).toBeInstanceOf(Unreachable);
  expect(failure.message).toContain(words);
});

test.each([
  ['ExpiredTokenException', 'renew them'],
  ['CredentialsProviderError', 'set AWS_PROFILE'],
  ['InvalidClientTokenId', 'AWS does not know these credentials'],
  ['AuthFailure', 'AWS does not know these credentials'],
])('%s says what to do about the credentials', (name, words) => {
  const failure = awsFailure(CALL, thrown(name, 'no', 403));
  expect(failure).toBeInstanceOf(RunFailed);
  expect(failure).not.toBeInstanceOf(Unreachable);
  expect(failure.message).toContain(words);
});

test.each([
  ['Throttling', 400],
  ['RateExceeded', 400],
  ['RequestLimitExceeded', 503],
])('%s for the number of calls certainly did nothing', (name, status) => {
  expect(awsFailure(CALL, thrown(name, 'Rate exceeded', status))).toBeInstanceOf(Throttled);
});

test('a fault of AWS’s own may have had its effect', () => {
  const failure = awsFailure(CALL, thrown('ServiceUnavailable', 'oh', 503));
  expect(failure).toBeInstanceOf(Unreachable);
  expect(failure).not.toBeInstanceOf(Throttled);
});
