import { hostname } from 'node:os';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { DEFAULT_PORT } from './contract.ts';

/**
 * The worker's settings: each from the environment as `REINDEX_WORKER_<NAME>`, all but the secrets also as a flag
 * (`--lease-ms`), which wins. Documented here, one place for help, check and type.
 */

const ENVIRONMENT_PREFIX = 'REINDEX_WORKER_';
const MIB = 1024 * 1024;

const wholeNumber = (low: number, high: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'is a whole number')
    .transform(Number)
    .pipe(z.int().min(low, `is at least ${low}`).max(high, `is at most ${high}`));

const yesOrNo = z
  .enum(['true', 'false', '1', '0'], 'is true or false')
  .transform((text) => text === 'true' || text === '1');

const urlOf = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `is a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

const settingsSchema = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe('address to listen on; other than loopback only with a token'),
    port: wholeNumber(0, 65_535).default(DEFAULT_PORT).describe('port to listen on; 0: any free one'),
    id: z
      .string()
      .max(255, 'has at most 255 characters')
      .default(hostname)
      .describe('name of this worker; default: the host name'),
    definitions: z.string({ error: 'is missing' }).describe('file or folder of index definitions'),
    lease_ms: wholeNumber(1_000, 86_400_000)
      .default(300_000)
      .describe("time without an orchestrator's call after which the worker ends"),
    drain_linger_ms: wholeNumber(0, 86_400_000)
      .default(30_000)
      .describe(
        'how long a drained worker waits after its last task for an orchestrator to ask how it ended',
      ),
    batch_bytes: wholeNumber(64 * 1024, 64 * MIB)
      .default(4 * MIB)
      .describe('size of a bulk request; larger where a definition allows larger documents'),
    max_bytes_in_flight: wholeNumber(64 * 1024, 1024 * MIB)
      .default(16 * MIB)
      .describe('most bytes on their way to the cluster; also what the buffers take of memory'),
    search_timeout_ms: wholeNumber(100, 3_600_000).default(60_000).describe('time limit of one bulk request'),
    cool_down_ms: wholeNumber(0, 3_600_000)
      .default(30_000)
      .describe('how long a timed-out bulk counts as in flight, for the cluster still executes it'),
    exit_with_parent: yesOrNo.default(false).describe('end when standard input is closed'),
    log_level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'is debug, info, warn, error or silent')
      .default('info')
      .describe('least level that is logged'),
    token: z.string().min(16, 'has at least 16 characters').nullable().default(null),
    database_url: urlOf('postgres:', 'postgresql:'),
    search_url: urlOf('http:', 'https:'),
    search_username: z.string().nullable().default(null),
    search_password: z.string().nullable().default(null),
    search_api_key: z.string().nullable().default(null),
  })
  .superRefine((settings, context) => {
    const fault = (name: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (settings.token === null && !isLoopback(settings.host)) {
      fault(
        'token',
        `is missing: without a token the worker listens on loopback only, not on ${settings.host}`,
      );
    }
    if ((settings.search_username === null) !== (settings.search_password === null)) {
      fault('search_password', 'and REINDEX_WORKER_SEARCH_USERNAME are given both or not at all');
    }
    if (settings.search_api_key !== null && settings.search_username !== null) {
      fault('search_api_key', 'and REINDEX_WORKER_SEARCH_USERNAME exclude each other: give one');
    }
  });

/** Secrets, or URLs that may hold one: a command line can be read by every user of the machine. */
const ENVIRONMENT_ONLY = new Set([
  'token',
  'database_url',
  'search_url',
  'search_username',
  'search_password',
  'search_api_key',
]);

type Written = z.output<typeof settingsSchema>;

export interface WorkerSettings
  extends Omit<Written, 'search_url' | 'search_username' | 'search_password' | 'search_api_key'> {
  /** Without credentials. */
  readonly search_url: string;
  /** The `Authorization` header for the cluster; null: none. */
  readonly search_authorization: string | null;
}

/** Everything that is wrong with the settings or the command line, a line each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * @param args the command line without program and script
 * @throws SettingsError with every fault; CommanderError with exit code 0 after `--help`
 */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): WorkerSettings {
  const given = { ...fromEnvironment(environment), ...fromFlags(args) };
  const result = settingsSchema.safeParse(given);
  if (!result.success) throw new SettingsError(result.error.issues.flatMap(faultsOf).join('\n'));
  const {
    search_username: username,
    search_password: password,
    search_api_key: apiKey,
    ...settings
  } = result.data;
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

function faultsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${variableOf(key)} is not a setting of the worker.`);
  const missing = issue.code === 'invalid_type' ? 'is missing' : issue.message;
  return [`${variableOf(issue.path.join('_'))} ${missing}.`];
}

function variableOf(name: string): string {
  return ENVIRONMENT_PREFIX + name.toUpperCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
