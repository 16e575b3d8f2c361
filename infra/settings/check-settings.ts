import { formatPath } from '../../definition/faults.ts';
import { checkYaml } from '../../definition/yaml-file.ts';
import { type StackInput, type StackSettings, stackSchema } from './schema.ts';

/**
 * Checks what a program gives.
 *
 * @param name stands in faults for the file
 * @throws Faults that name everything that is wrong
 */
export function checkSettings(given: StackInput, name: string): StackSettings {
  const place = { file: name, line: null, column: null };
  return checkYaml(stackSchema, {
    value: given,
    positionOf: () => place,
    faultAt: (path, message) => ({ ...place, path: formatPath(path), message }),
  });
}
