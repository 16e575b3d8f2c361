import { RunError } from '@pulumi/pulumi';
import { Faults } from '../../definition/faults.ts';

/**
 * Checks settings and reports their faults to a person.
 *
 * @param sentence says which settings are wrong
 * @throws RunError with the sentence and every fault; Pulumi shows it without a stack trace
 */
export function forAPerson<T>(sentence: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    throw new RunError(`${sentence}\n${error.message}`);
  }
}
