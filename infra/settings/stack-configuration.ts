import * as pulumi from '@pulumi/pulumi';
import { Faults, formatPath } from '../../definition/faults.ts';
import { checkYaml, type Path } from '../../definition/yaml-file.ts';
import type { StackSettings } from './schema.ts';
import { stackSchema } from './whole-schema.ts';
import { SECRETS, writtenValue } from './written-value.ts';

export interface Configuration {
  readonly stack: string;
  readonly project: string;
  /** By whole key (`reindex-fleet:image`), as Pulumi hands it on: texts, objects as JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** Whole keys of those that are kept encrypted; null: nobody says. */
  readonly secretKeys: readonly string[] | null;
}

export function configurationOfProgram(): Configuration {
  const keys = process.env['PULUMI_CONFIG_SECRET_KEYS'];
  return {
    stack: pulumi.getStack(),
    project: pulumi.getProject(),
    values: pulumi.runtime.allConfig(),
    secretKeys: keys === undefined ? null : (JSON.parse(keys) as string[]),
  };
}

/**
 * The settings of a stack from its configuration; the fleet has the stack's name if it has no other.
 *
 * @throws Faults that name everything that is wrong, none with a value that may be secret
 */
export function readStackSettings({ stack, project, values, secretKeys }: Configuration): StackSettings {
  const file = `Pulumi.${stack}.yaml`;
  const place = { file, line: null, column: null };
  const own = Object.entries(values)
    .filter(([key]) => key.startsWith(`${project}:`))
    .map(([key, text]) => [key.slice(project.length + 1), text] as const);
  const given = Object.fromEntries(own.map(([name, text]) => [name, writtenValue(name, text)]));
  const value = { fleet: stack, ...given };
  const isNamedAfterStack = !Object.hasOwn(given, 'fleet');
  const unkept = [...SECRETS]
    .filter((name) => Object.hasOwn(given, name) && secretKeys?.includes(`${project}:${name}`) === false)
    .map((name) => ({
      ...place,
      path: `${project}:${name}`,
      message: `It stands there for everybody to read: \`pulumi config set --secret ${name}\`.`,
    }));
  const checked = checkedOrFaults(() =>
    checkYaml(stackSchema, {
      value,
      positionOf: () => place,
      faultAt: (path, message) => ({
        ...place,
        path: `${project}:${formatPath(path)}`,
        message: clearer(path, message, isNamedAfterStack),
      }),
    }),
  );
  if (!(checked instanceof Faults) && unkept.length === 0) return checked;
  const faults = [...(checked instanceof Faults ? checked.faults : []), ...unkept];
  throw new Faults(faults.sort((a, b) => a.path.localeCompare(b.path)));
}

function checkedOrFaults(check: () => StackSettings): StackSettings | Faults {
  try {
    return check();
  } catch (error) {
    if (error instanceof Faults) return error;
    throw error;
  }
}

/** What is written elsewhere, by where people look for it first. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'source.password': 'source_password',
  'target.password': 'target_password',
  'target.api_key': 'target_api_key',
  'aws.region': 'aws:region',
  'aws.profile': 'aws:profile',
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
