import { describe, expect, it } from 'vitest';
import { awsErrorText, hadNoEffect } from '../../worker/instance/aws-error.ts';

const CALL = { action: 'ssm:GetParametersByPath', resource: '/books/worker', region: 'eu-central-1' };

/** As the SDK throws it; status null: no answer came. */
function awsError(name: string, status: number | null, message = 'as AWS says it', code?: string): Error {
  const $metadata = { attempts: 1, ...(status !== null && { httpStatusCode: status }) };
  return Object.assign(new Error(message), { name, $metadata, ...(code !== undefined && { code }) });
}

describe('an error of an AWS call by a worker', () => {
  it.each<[string, Error, boolean]>([
    ['is refused', awsError('ValidationError', 400), true],
    ['is throttled', awsError('Throttling', 400), true],
    ['fails in AWS', awsError('InternalFailure', 500), false],
    ['finds no credentials', awsError('CredentialsProviderError', null), true],
    ['finds no address', awsError('Error', null, 'getaddrinfo ENOTFOUND', 'ENOTFOUND'), true],
    ['is not let in', awsError('AggregateError', null, '', 'ECONNREFUSED'), true],
    ['takes too long', awsError('AbortError', null), false],
    ['is cut off', awsError('Error', null, 'socket hang up', 'ECONNRESET'), false],
    ['has an answer that cannot be read', awsError('SyntaxError', 200), false],
  ])('tells whether the call certainly had no effect when it %s', (_name, error, known) => {
    expect(hadNoEffect(error)).toBe(known);
  });

  it.each<[Error, string]>([
    [
      awsError('AccessDeniedException', 400, 'User x is not authorized to perform: ssm:GetParametersByPath'),
      "Give the instance's role the permission ssm:GetParametersByPath.",
    ],
    [
      awsError('AccessDeniedException', 400, 'not authorized to perform: kms:Decrypt (Service: AWSKMS)'),
      "Give the instance's role the permission kms:Decrypt with the key of the parameters.",
    ],
    [awsError('CredentialsProviderError', null), 'Give the instance an instance profile with a role'],
    [awsError('ThrottlingException', 400), 'AWS got too many calls at once'],
    [awsError('InternalServerError', 500), 'AWS itself failed'],
    [awsError('TimeoutError', null), "Check the way to AWS's API"],
  ])('names the call, what AWS says and what to do after %s', (error, advice) => {
    const text = awsErrorText(error, CALL);
    expect(text).toContain('ssm:GetParametersByPath of /books/worker in eu-central-1 failed: ');
    expect(text).toContain(`${error.name}: ${error.message}`);
    expect(text).toContain(advice);
  });

  it('says why no address could be reached when several were tried', () => {
    const error = new AggregateError([new Error('connect ECONNREFUSED 127.0.0.1:1')], '');
    expect(awsErrorText(error, CALL)).toContain('connect ECONNREFUSED 127.0.0.1:1');
  });
});
