import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { Failure } from '../definition/failure.ts';
import { bootSchema, ENVIRONMENT_ONLY, NEVER_PARAMETERS, settingsSchema } from './settings-schema.ts';

/**
 * Where the worker's settings come from. settings-schema.ts says what each is. A flag (`--lease-ms`) comes first; secrets have
 * none. Then comes the environment as `REINDEX_WORKER_<NAME>`. On an EC2 instance the parameters of the fleet come next, and
 * then the instance's metadata.
 */

const ENVIRONMENT_PREFIX = 'REINDEX_WORKER_';

type Written = z.output<typeof settingsSchema>;

export interface WorkerSettings
  extends Omit<Written, 'search_url' | 'search_username' | 'search_password' | 'search_api_key'> {
  /** Without credentials. */
  readonly search_url: string;
  /** The `Authorization` header for the cluster; null: none. */
  readonly search_authorization: string | null;
}

/** Settings that are needed before the others are read, and also when the others are wrong. */
export type BootSettings = Readonly<z.output<typeof bootSchema>>;

/** Values from an instance, by the setting's name. Environment and flags override them. */
export interface InstanceValues {
  readonly metadata: Readonly<Record<string, string>>;
  /** Null: nobody asked for parameters. */
  readonly parameters: Readonly<Record<string, string>> | null;
}

/** All faults of the settings or the command line, one line each. */
export class SettingsError extends Failure {
  override readonly name = 'SettingsError';
  override readonly move = 'mend-input';
}

/**
 * Reads the machine's own settings. Wrong values count as absent, because the machine must still be able to end itself;
 * `readSettings` names them. If a flag is wrong, only the environment counts.
 * @param args the command line without program and script
 * @throws CommanderError with exit code 0 after `--help`
 */
export function readBootSettings(args: readonly string[], environment: NodeJS.ProcessEnv): BootSettings {
  const given = { ...fromEnvironment(environment), ...readableFlags(args) };
  const result = bootSchema.safeParse(given);
  if (result.success) return result.data;
  const wrong = new Set(result.error.issues.map(({ path: [name] }) => name));
  return bootSchema.parse(Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name))));
}

/**
 * @param args the command line without program and script
 * @param instance null: not on an instance
 * @throws SettingsError with every fault; CommanderError with exit code 0 after `--help`
 */
export function readSettings(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  instance: InstanceValues | null = null,
): WorkerSettings {
  const own = { ...fromEnvironment(environment), ...fromFlags(args) };
  const parameters = instance?.parameters ?? {};
  const labels = new Labels(own, parameters);
  const result = settingsSchema.safeParse({ ...instance?.metadata, ...parameters, ...own });
  const faults = [
    ...parameterFaults(instance?.parameters ?? null, labels),
    ...(result.error?.issues.flatMap((issue) => faultsOf(issue, labels)) ?? []),
  ];
  if (faults.length > 0 || !result.success) throw new SettingsError(faults.join('\n'));
  return withAuthorization(result.data);
}

function withAuthorization(written: Written): WorkerSettings {
  const {
    search_username: username,
    search_password: password,
    search_api_key: apiKey,
    ...settings
  } = written;
  const url = new URL(settings.search_url);
  const user = username ?? (url.username === '' ? null : decodeURIComponent(url.username));
  const secret = password ?? decodeURIComponent(url.password);
  url.username = url.password = '';
  return { ...settings, search_url: url.href, search_authorization: authorizationOf(user, secret, apiKey) };
}

function authorizationOf(user: string | null, secret: string, apiKey: string | null): string | null {
  if (apiKey !== null) return `ApiKey ${apiKey}`;
  return user === null ? null : `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
}

/** An empty variable counts as not set. */
function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const given: Record<string, string> = {};
  const metadataUrl = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? '';
  if (metadataUrl !== '') given['metadata_url'] = metadataUrl;
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || value === undefined || value === '') continue;
    given[name.slice(ENVIRONMENT_PREFIX.length).toLowerCase()] = value;
  }
  return given;
}

function fromFlags(args: readonly string[]): Record<string, string> {
  const command = new Command('reindex-worker').description('Serves reindexing tasks over HTTP.');
  for (const [name, schema] of Object.entries(settingsSchema.shape)) {
    if (ENVIRONMENT_ONLY.has(name)) continue;
    const flag = `--${name.replaceAll('_', '-')}`;
    command.option(
      schema instanceof z.ZodDefault && name === 'exit_with_parent' ? flag : `${flag} <value>`,
      schema.description,
    );
  }
  command.addHelpText(
    'after',
    `\nFrom the environment only: ${[...ENVIRONMENT_ONLY].map(variableOf).join(', ')}`,
  );
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
    throw new SettingsError(error.message, { cause: error });
  }
  const options = Object.entries(command.opts<Record<string, string | true>>());
  return Object.fromEntries(
    options.map(([name, value]) => [name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), String(value)]),
  );
}

function readableFlags(args: readonly string[]): Record<string, string> {
  try {
    return fromFlags(args);
  } catch (error) {
    if (error instanceof SettingsError) return {};
    throw error;
  }
}

/** The name of a setting in a fault: the parameter that it came from, or its variable. */
class Labels {
  readonly #own: Readonly<Record<string, string>>;
  readonly #parameters: Readonly<Record<string, string>>;

  constructor(own: Readonly<Record<string, string>>, parameters: Readonly<Record<string, string>>) {
    this.#own = own;
    this.#parameters = parameters;
  }

  of(name: string): string {
    const isParameter = !Object.hasOwn(this.#own, name) && Object.hasOwn(this.#parameters, name);
    return isParameter ? this.ofParameter(name) : variableOf(name);
  }

  ofParameter(name: string): string {
    return `${this.#own['parameters'] ?? ''}/${name}`;
  }
}

function parameterFaults(parameters: InstanceValues['parameters'], labels: Labels): string[] {
  const names = Object.keys(parameters ?? {});
  if (parameters !== null && names.length === 0)
    return [
      `${labels.of('parameters')}: this path has no parameter directly below it in the instance's region. Check the path and the region.`,
    ];
  return names
    .filter((name) => NEVER_PARAMETERS.has(name))
    .map(
      (name) =>
        `${labels.ofParameter(name)} cannot be a parameter, because it differs between machines. Set it in the environment.`,
    );
}

function faultsOf(issue: z.core.$ZodIssue, labels: Labels): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) => `${labels.of(key)} is not a setting of the worker. Remove it, or see --help for the settings.`,
    );
  const missing = issue.code === 'invalid_type' ? 'is missing' : issue.message;
  return [`${labels.of(issue.path.join('_'))} ${missing}.`];
}

function variableOf(name: string): string {
  return ENVIRONMENT_PREFIX + name.toUpperCase();
}
