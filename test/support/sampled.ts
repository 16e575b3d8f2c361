import { it, type TestContext } from 'vitest';

/** How a case is tried; its values and the test's context come as with `it.for`. */
type Try<Case> = (values: Case, scope: TestContext) => Promise<void>;

const testsFor = it.for.bind(it);

/**
 * Like `it.for`, for a suite of many cases that each take seconds. `npm test` tries the first `count` of them; the others
 * are long tests.
 */
export function sampled<Case>(cases: readonly Case[], count: number) {
  return (title: string, attempt: Try<Case>): void => {
    testsFor(cases.slice(0, count))(title, attempt);
    testsFor(cases.slice(count))(title, { tags: 'long' }, attempt);
  };
}
