import { beforeEach } from 'vitest';
import { NO_TIME_LEFT } from './no-time-left.ts';

/** When tests begin no more: Unix time in seconds. `.ci/run` sets it for the long tests; without it all tests run. */
const BEGIN_UNTIL = process.env['TESTS_BEGIN_UNTIL'];

if (BEGIN_UNTIL !== undefined) {
  const untilMs = Number(BEGIN_UNTIL) * 1000;
  beforeEach(({ skip }) => {
    if (Date.now() >= untilMs) skip(NO_TIME_LEFT);
  });
}
