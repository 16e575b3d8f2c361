import { expect, test } from 'vitest';
import { awsFailure } from '../../orchestrator/aws/aws-error.ts';
import { RunFailed, Throttled, Unreachable } from '../../orchestrator/errors.ts';

const CALL = { action: 'ec2:DescribeInstances', resource: 'instances of the group books' };

/** As the SDK throws it. */
function thrown(name: string, message: string, httpStatusCode?: number): Error {
  const metadata = httpStatusCode === undefined ? {} : { $metadata: { httpStatusCode } };
  return Object.assign(new Error(message), { name, ...metadata });
}

test('an AWS denial names the missing permission, and leaves out the encoded message that nobody can read', () => {
  const error = thrown(
    'UnauthorizedOperation',
    'You are not authorized to perform this operation. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q',
    403,
  );
  expect(awsFailure(CALL, error).message).toBe(
    'ec2:DescribeInstances on instances of the group books: UnauthorizedOperation: You are not authorized to perform this operation. (the permission ec2:DescribeInstances is missing: allow it for instances of the group books)',
  );
});

test('an AWS denial of a call that another call makes names the permission of that inner call', () => {
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
])('the AWS error %s is Unreachable, because it may pass by itself', (name, message, status, words) => {
  const failure = awsFailure(CALL, thrown(name, message, status));
  expect(failure).toBeInstanceOf(Unreachable);
  expect(failure.message).toContain(words);
});

test.each([
  ['ExpiredTokenException', 'renew them'],
  ['CredentialsProviderError', 'set AWS_PROFILE'],
  ['InvalidClientTokenId', 'AWS does not know these credentials'],
  ['AuthFailure', 'AWS does not know these credentials'],
])('the AWS error %s fails the run and says what to do about the credentials', (name, words) => {
  const failure = awsFailure(CALL, thrown(name, 'no', 403));
  expect(failure).toBeInstanceOf(RunFailed);
  expect(failure).not.toBeInstanceOf(Unreachable);
  expect(failure.message).toContain(words);
});

test.each([
  ['Throttling', 400],
  ['RateExceeded', 400],
  ['RequestLimitExceeded', 503],
])(
  'the AWS error %s for too many calls is Throttled, because the call certainly had no effect',
  (name, status) => {
    expect(awsFailure(CALL, thrown(name, 'Rate exceeded', status))).toBeInstanceOf(Throttled);
  },
);

test('an internal error of AWS is Unreachable and not Throttled, because the call may have had its effect', () => {
  const failure = awsFailure(CALL, thrown('ServiceUnavailable', 'oh', 503));
  expect(failure).toBeInstanceOf(Unreachable);
  expect(failure).not.toBeInstanceOf(Throttled);
});
