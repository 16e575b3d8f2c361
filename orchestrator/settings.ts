import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Fault, Faults, formatPath, type Position } from '../definition/faults.ts';
import { section } from '../definition/section.ts';
import { checkYaml, type Path, readYaml, type YamlFile } from '../definition/yaml-file.ts';
import { awsSection } from './aws/aws-settings.ts';
import { ms, text, whole } from './setting-types.ts';

/** Used when neither `--settings` nor a file of this name in the working folder says otherwise. */
const SETTINGS_FILE = 'reindex-fleet.yaml';
const EXAMPLE_SETTINGS = fileURLToPath(new URL('../examples/cities/settings.yaml', import.meta.url));

/** Where an embedded service of this machine stands in for a URL. */
export const EMBEDDED = 'embedded';

const url = (protocols: readonly string[]) =>
  text.refine(
    (value) => value === EMBEDDED || (URL.canParse(value) && protocols.includes(new URL(value).protocol)),
    `"${EMBEDDED}" or a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
  );

export const settingsShape = section({
  /** Names what one run at a time may hold: claims, locks and journals are kept by it. */
  fleet: text.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Small letters, digits, dash and underscore.'),
  /** A definition's file or a folder of them, relative to the settings file. */
  definitions: text,
  /** Which definition to run; needed when there are several. */
  definition: text.nullable().default(null),
  source: section({
    /** `embedded`, or a PostgreSQL URL. The password may stand in REINDEX_SOURCE_PASSWORD or on AWS (`aws.worker_parameters`) instead. */
    url: url(['postgres:', 'postgresql:']),
  }),
  target: section({
    /** `embedded`, or an OpenSearch or Elasticsearch URL. */
    url: url(['http:', 'https:']),
    /** For basic authentication, with REINDEX_TARGET_PASSWORD. An API key stands in REINDEX_TARGET_API_KEY. Both may stand on AWS (`aws.worker_parameters`) instead. */
    username: text.nullable().default(null),
    /** Longest wait for the declared health of the new index. */
    health_timeout_ms: ms(600_000),
  }),
  journal: section({
    /** Folder of claims, locks and journals; null: one of this user's state folders. Relative to the settings file. */
    directory: text.nullable().default(null),
    /** How long a lock that is not renewed still counts. */
    lease_ms: whole(1_000, 600_000, ' of milliseconds').default(15_000),
    /** `sweep` deletes what a run that is over for so long has left in the journal; not of what a rollback needs. */
    keep_days: whole(1, 36_500, ' of days').default(90),
  }).prefault({}),
  workers: section({
    /** Workers wanted: processes on this machine, or instances of the group. */
    count: whole(1, 1_000).default(4),
    /** A run goes on with so many if the cloud has no more; with fewer it ends. */
    minimum: whole(1, 1_000).default(1),
    /** Bytes that all workers together may have in flight to the cluster. */
    max_bytes_in_flight: whole(1_048_576, 2 ** 40, ' of bytes').default(33_554_432),
    poll_interval_ms: ms(250),
    call_timeout_ms: ms(5_000),
    ready_timeout_ms: ms(60_000),
    lost_after_ms: ms(30_000),
    stall_timeout_ms: ms(120_000),
    waiting_timeout_ms: ms(600_000),
    /** A worker process of this machine that hears nothing from an orchestrator for this long ends itself; on AWS it is a parameter of the worker. */
    lease_ms: ms(60_000),
    /** Workers that may be replaced in one run. */
    replacements: whole(0, 1_000).default(8),
    /** Tries at one range before the run stops. */
    attempts: whole(1, 100).default(3),
  }).prefault({}),
  ranges: section({
    /** How many ranges to split the table into; null: chosen from its rows and the workers. */
    count: whole(1, 100_000).nullable().default(null),
  }).prefault({}),
  validate: section({
    /**
     * How the rows of a range and its documents are compared before the alias moves. `keys`: key by key. `counts`: by
     * their number alone, where there are no dead letters and the range was given out only once; faster, and for tables
     * that do not change while a run reads. It cannot see that a document is missing where another is too many: a row
     * that came and one that went in the same range while the run read hide each other.
     */
    compare: z.enum(['keys', 'counts'], '"keys" or "counts".').default('keys'),
    /** Ranges that are compared at the same time, each with a connection of its own to the database. */
    concurrency: whole(1, 16).default(4),
  }).prefault({}),
  /** An Auto Scaling group as the fleet, see `aws-settings.ts`; null: workers are processes on this machine. */
  aws: awsSection.nullable().default(null),
  report: section({
    /** A search request whose answer is shown at the end: a query that a person can try. */
    example_query: z.record(z.string(), z.unknown()).nullable().default(null),
  }).prefault({}),
});

/** What does not go together. */
const settingsSchema = settingsShape.superRefine(({ aws, source, target, workers }, context) => {
  const fault = (path: string[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  if (workers.minimum > workers.count)
    fault(['workers', 'minimum'], `At most workers.count, ${workers.count}.`);
  if (aws === null) return;
  const message =
    'Workers on AWS cannot reach an embedded service of this machine: write a URL that they can.';
  if (source.url === EMBEDDED) fault(['source', 'url'], message);
  if (target.url === EMBEDDED) fault(['target', 'url'], message);
});

type Written = z.output<typeof settingsSchema>;

/** All settings of one command, validated once. Paths are absolute where they came from a file. */
export interface Settings extends Written {
  /** The file that they came from, or what stands for it in faults. */
  readonly file: string;
  /** Secrets of the environment. Others are in the URLs, or looked for when something connects: `credentials.ts`. */
  readonly secrets: {
    readonly sourcePassword: string | null;
    readonly targetPassword: string | null;
    readonly targetApiKey: string | null;
  };
}

/** A value that stands above the file: from a flag, or from the environment. */
interface Override {
  readonly path: Path;
  readonly origin: string;
  readonly value: string | number;
}

/** What may be set by flag (over) environment (over) the file. */
const OVERRIDABLE: readonly { flag: string; variable: string; path: Path; number?: true }[] = [
  { flag: 'fleet', variable: 'REINDEX_FLEET', path: ['fleet'] },
  { flag: 'definitions', variable: 'REINDEX_DEFINITIONS', path: ['definitions'] },
  { flag: 'definition', variable: 'REINDEX_DEFINITION', path: ['definition'] },
  { flag: 'source', variable: 'REINDEX_SOURCE_URL', path: ['source', 'url'] },
  { flag: 'target', variable: 'REINDEX_TARGET_URL', path: ['target', 'url'] },
  { flag: 'targetUsername', variable: 'REINDEX_TARGET_USERNAME', path: ['target', 'username'] },
  { flag: 'journal', variable: 'REINDEX_JOURNAL', path: ['journal', 'directory'] },
  { flag: 'workers', variable: 'REINDEX_WORKERS', path: ['workers', 'count'], number: true },
  { flag: 'ranges', variable: 'REINDEX_RANGES', path: ['ranges', 'count'], number: true },
];

export type Flags = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings file and what stands above it. Throws `Faults` with every fault at once, each with its file,
 * line and column, or the flag or variable that it came from.
 */
export async function loadSettings(
  flags: Flags,
  environment: Environment,
  workingFolder: string,
): Promise<Settings> {
  const file = settingsFile(flags, environment, workingFolder);
  const written = { text: await readSettingsFile(file), file, folder: dirname(file) };
  return settingsFrom(written, { flags, environment, workingFolder });
}

/** Settings as somebody wrote them: YAML, of which JSON is a part. */
export interface WrittenSettings {
  readonly text: string;
  /** Where they are from, for faults. */
  readonly file: string;
  /** What paths in them are relative to. */
  readonly folder: string;
}

/** What stands above written settings. Paths in it are relative to the working folder. */
export interface SettingsAbove {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly workingFolder: string;
}

/** Validates written settings and what stands above them. Throws `Faults` as `loadSettings` does. */
export function settingsFrom({ text, file, folder }: WrittenSettings, above: SettingsAbove): Settings {
  const { environment, workingFolder } = above;
  const overrides = overridesOf(above.flags, environment);
  const written = checkYaml(settingsSchema, withOverrides(readYaml(text, file), overrides));
  const overridden = new Set(overrides.map(({ path }) => path.join('.')));
  const base = (path: string): string => (overridden.has(path) ? workingFolder : folder);
  const { journal } = written;
  return {
    ...written,
    file,
    definitions: resolve(base('definitions'), written.definitions),
    journal: {
      ...journal,
      directory: journal.directory === null ? null : resolve(base('journal.directory'), journal.directory),
    },
    secrets: secretsIn(environment),
  };
}

/**
 * Settings from a text that is no file, e.g. what a stack has put into a variable of the environment. Nothing stands above
 * it, its paths stay as they are written (there is no folder that they could be relative to), and it has no secrets.
 *
 * @param name stands for the file in faults
 * @throws Faults with every fault at once
 */
export function parseSettings(text: string, name: string): Settings {
  return { ...checkYaml(settingsSchema, readYaml(text, name)), file: name, secrets: secretsIn({}) };
}

function secretsIn(environment: Environment): Settings['secrets'] {
  return {
    sourcePassword: environment.REINDEX_SOURCE_PASSWORD ?? null,
    targetPassword: environment.REINDEX_TARGET_PASSWORD ?? null,
    targetApiKey: environment.REINDEX_TARGET_API_KEY ?? null,
  };
}

function settingsFile(flags: Flags, environment: Environment, workingFolder: string): string {
  const named = flags.settings ?? environment.REINDEX_SETTINGS;
  if (typeof named === 'string') return resolve(workingFolder, named);
  const here = resolve(workingFolder, SETTINGS_FILE);
  return existsSync(here) ? here : EXAMPLE_SETTINGS;
}

async function readSettingsFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Faults([faultOf(file, `The settings file cannot be read: ${reason}`)], { cause: error });
  }
}

function overridesOf(flags: Flags, environment: Environment): Override[] {
  return OVERRIDABLE.flatMap(({ flag, variable, path, number }): Override[] => {
    const given = flags[flag];
    const inherited = environment[variable];
    const valueOf = (written: string) => (number === true ? numberOrText(written) : written);
    if (typeof given === 'string') return [{ path, origin: `--${kebab(flag)}`, value: valueOf(given) }];
    return inherited === undefined || inherited === ''
      ? []
      : [{ path, origin: variable, value: valueOf(inherited) }];
  });
}

function withOverrides(yaml: YamlFile, overrides: readonly Override[]): YamlFile {
  const value = overrides.reduce<unknown>((base, { path, value }) => setIn(base, path, value), yaml.value);
  const originOf = (path: Path): string | undefined =>
    overrides.find((override) => override.path.join('.') === path.join('.'))?.origin;
  return {
    value,
    positionOf: (path, offset) => placeOf(originOf(path)) ?? yaml.positionOf(path, offset),
    faultAt: (path, message, offset) => {
      const place = placeOf(originOf(path));
      return place === null
        ? yaml.faultAt(path, message, offset)
        : { ...place, path: formatPath(path), message };
    },
  };
}

function placeOf(origin: string | undefined): Position | null {
  return origin === undefined ? null : { file: origin, line: null, column: null };
}

function setIn(base: unknown, path: Path, value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const map = typeof base === 'object' && base !== null && !Array.isArray(base) ? base : {};
  return { ...map, [first]: setIn(Reflect.get(map, first), rest, value) };
}

function numberOrText(value: string): string | number {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function faultOf(file: string, message: string): Fault {
  return { file, line: null, column: null, path: '', message };
}
