import * as pulumi from '@pulumi/pulumi';
import { Faults, formatPath } from '../../definition/faults.ts';
import { checkYaml, type Path } from '../../definition/yaml-file.ts';
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
  const own = Object.entries(values)
    .filter(([key]) => key.startsWith(`${project}:`))
    .map(([key, text]) => [key.slice(project.length + 1), text] as const);
  const given = Object.fromEntries(own.map(([name, text]) => [name, writtenValue(name, text)]));
  const value = { fleet: stack, ...given };
  const isNamedAfterStack = !Object.hasOwn(given, 'fleet');
  try {
    return checkYaml(stackSchema, {
      value,
      positionOf: () => place,
      faultAt: (path, message) => ({
        ...place,
        path: `${project}:${formatPath(path)}`,
        message: clearer(path, message, isNamedAfterStack),
      }),
    });
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    throw new Faults([...error.faults].sort((a, b) => a.path.localeCompare(b.path)));
  }
}

/** What is written elsewhere, by where people look for it first. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'source.password': 'source_password',
  'target.password': 'target_password',
  'target.api_key': 'target_api_key',
  'aws.region': 'aws:region',
};

function clearer(path: Path, message: string, isNamedAfterStack: boolean): string {
  const [first = ''] = path;
  // One key that holds a dot or bracket: the CLI took it as it was written.
  if (path.length === 1 && /[.[]/.test(String(first)))
    return `This is a path: \`pulumi config rm '${first}'\`, then \`pulumi config set --path '${first}' …\`.`;
  if (first === 'fleet' && isNamedAfterStack)
    return `${message} It is the stack’s name, for no other is set.`;
  const elsewhere = ELSEWHERE[formatPath(path)];
  return elsewhere === undefined ? message : `It is ${elsewhere}, a key of its own.`;
}
