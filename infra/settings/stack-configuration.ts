import * as pulumi from '@pulumi/pulumi';
import { Faults, formatPath } from '../../definition/faults.ts';
import { checkYaml } from '../../definition/yaml-file.ts';
import { type StackSettings, stackSchema } from './schema.ts';
import { writtenValue } from './written-value.ts';

export interface Configuration {
  readonly stack: string;
  readonly project: string;
  /** By whole key (`reindex-fleet:image`), as Pulumi hands it on: texts, objects as JSON. */
  readonly values: Readonly<Record<string, string>>;
}

export function configurationOfProgram(): Configuration {
  return { stack: pulumi.getStack(), project: pulumi.getProject(), values: pulumi.runtime.allConfig() };
}

/**
 * The settings of a stack from its configuration; the fleet has the stack's name if it has no other.
 *
 * @throws Faults that name everything that is wrong, none with a value that may be secret
 */
export function readStackSettings({ stack, project, values }: Configuration): StackSettings {
  const file = `Pulumi.${stack}.yaml`;
  const place = { file, line: null, column: null };
  const own = Object.entries(values).filter(([key]) => key.startsWith(`${project}:`));
  const value = {
    fleet: stack,
    ...Object.fromEntries(
      own.map(([key, text]) => {
        const name = key.slice(project.length + 1);
        return [name, writtenValue(name, text)];
      }),
    ),
  };
  try {
    return checkYaml(stackSchema, {
      value,
      positionOf: () => place,
      faultAt: (path, message) => ({ ...place, path: `${project}:${formatPath(path)}`, message }),
    });
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    throw new Faults([...error.faults].sort((a, b) => a.path.localeCompare(b.path)));
  }
}
