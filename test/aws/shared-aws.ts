import { inject } from 'vitest';

/** The AWS API that all tests share. Only tests that are not skipped may ask for it. */
export function sharedAwsUrl(): string {
  const url = inject('awsUrl');
  if (url === null) throw new Error('This machine has no AWS API; skip the test.');
  return url;
}
