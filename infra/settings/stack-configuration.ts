import * as pulumi from '@pulumi/pulumi';
import { Faults, formatPath } from '../../definition/faults.ts';
import { checkYaml, type Path } from '../../definition/yaml-file.ts';
import type { StackSettings } from './schema.ts';
import { stackSchema } from './whole-schema.ts';
import { SECRETS, writtenValue } from './written-value.ts';

export interface Configuration {
  readonly stack: string;
  readonly project: string;
  /** Values by their whole keys (`reindex-fleet:image`), as Pulumi gives them: texts, and objects as JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** Whole keys of encrypted values. Null: Pulumi does not say. */
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
 * Reads the settings of a stack from its configuration. A fleet without a name gets the stack's name.
 *
 * @throws Faults that name everything that is wrong, without any value that may be secret
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
      message: `This secret is not encrypted. Write it with \`pulumi config set --secret ${name}\`.`,
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

/** The right place of settings that people often write elsewhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'source.password': 'source_password',
  'target.password': 'target_password',
  'target.api_key': 'target_api_key',
  'aws.region': 'aws:region',
  'aws.profile': 'aws:profile',
};

function clearer(path: Path, message: string, isNamedAfterStack: boolean): string {
  const [first = ''] = path;
  // One key with a dot or bracket in it. The CLI took it as a name, not as a path.
  if (path.length === 1 && /[.[]/.test(String(first)))
    return `This is a path: \`pulumi config rm '${first}'\`, then \`pulumi config set --path '${first}' …\`.`;
  if (first === 'fleet' && isNamedAfterStack)
    return `${message} The fleet has the stack’s name, because \`fleet\` is not set.`;
  const elsewhere = ELSEWHERE[formatPath(path)];
  return elsewhere === undefined
    ? message
    : `This is not a setting. Write it as a key of its own: ${elsewhere}.`;
}
