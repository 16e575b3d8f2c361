import * as pulumi from '@pulumi/pulumi';
import { Faults, formatPath } from '../../definition/faults.ts';
import { checkYaml } from '../../definition/yaml-file.ts';
import { type StackInput, type StackSettings, stackSchema } from './schema.ts';

/**
 * Checks what a program gives.
 *
 * @param name stands in faults for the file
 * @throws RunError that names everything that is wrong: for a person, without a stack trace
 */
export function checkSettings(given: StackInput, name: string): StackSettings {
  const place = { file: name, line: null, column: null };
  try {
    return checkYaml(stackSchema, {
      value: given,
      positionOf: () => place,
      faultAt: (path, message) => ({ ...place, path: formatPath(path), message }),
    });
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    throw new pulumi.RunError(`The settings of the fleet ${name} are not right.\n${error.message}`);
  }
}
