import { AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { awsFailure } from '../../orchestrator/aws/aws-error.ts';
import { Throttled, Unreachable } from '../../orchestrator/errors.ts';

const CALL = { action: 'autoscaling:SetDesiredCapacity', resource: 'the group books' };

function refused(name: string, httpStatusCode: number): unknown {
  return awsFailure(
    CALL,
    new AutoScalingServiceException({
      name,
      $fault: 'client',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode },
    }),
  );
}

describe('a refusal of AWS', () => {
  it.each([
    ['Throttling', 400],
    ['RateExceeded', 400],
    ['RequestLimitExceeded', 503],
  ])('for the number of calls certainly did nothing: %s', (name, status) => {
    expect(refused(name, status)).toBeInstanceOf(Throttled);
  });

  it('for a fault of its own may have had its effect', () => {
    const failure = refused('ServiceUnavailable', 503);
    expect(failure).toBeInstanceOf(Unreachable);
    expect(failure).not.toBeInstanceOf(Throttled);
  });
});
