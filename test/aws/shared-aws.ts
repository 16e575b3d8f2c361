import { inject } from 'vitest';

/** Of the AWS API that all tests share, for a test that was not skipped for want of it. */
export function sharedAwsUrl(): string {
  const url = inject('awsUrl');
  if (url === null) throw new Error('This machine has no AWS API; skip the test.');
  return url;
}
