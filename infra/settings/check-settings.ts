import { formatPath } from '../../definition/faults.ts';
import { checkYaml } from '../../definition/yaml-file.ts';
import { forAPerson } from './for-a-person.ts';
import type { StackInput, StackSettings } from './schema.ts';
import { stackSchema } from './whole-schema.ts';

/**
 * Checks the settings that a program gives.
 *
 * @param name faults show it in the place of a file's name
 * @throws RunError that names everything that is wrong, for a person and without a stack trace
 */
export function checkSettings(given: StackInput, name: string): StackSettings {
  const place = { file: name, line: null, column: null };
  return forAPerson(`The settings of the fleet ${name} are not right.`, () =>
    checkYaml(stackSchema, {
      value: given,
      positionOf: () => place,
      faultAt: (path, message) => ({ ...place, path: formatPath(path), message }),
    }),
  );
}
