import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fault, Faults, formatPath, type Position } from '../definition/faults.ts';
import { checkYaml, type Path, readYaml, type YamlFile } from '../definition/yaml-file.ts';
import type { CommonSettings } from './common-settings.ts';
import type { ChosenFleet } from './fleet/fleet-kind.ts';
import { checkNeeded, type NeededSettings } from './needed-settings.ts';
import { credentialFaults, withCredentialFaults } from './credential-faults.ts';
import { checkForm } from './settings-form.ts';
import { placeOf } from './journal/places.ts';
import { settingsSchema } from './settings-schema.ts';

/** The settings file in the working folder. It is used if `--settings` names no other. */
const SETTINGS_FILE = 'reindex-fleet.yaml';
const EXAMPLE_SETTINGS = fileURLToPath(new URL('../examples/cities/settings.yaml', import.meta.url));

/** All settings of one command, validated once. Paths from a file are absolute. */
export interface Settings extends CommonSettings {
  /** Where workers run. */
  readonly backend: ChosenFleet;
}

/** A value from a flag or the environment, which comes before the file. */
interface Override {
  readonly path: Path;
  readonly origin: string;
  readonly value: string | number;
}

/**
 * The settings that a flag or the environment may set. A flag comes before the environment, and that before the file.
 */
const OVERRIDABLE: readonly { flag: string; variable: string; path: Path; number?: true }[] = [
  { flag: 'fleet', variable: 'REINDEX_FLEET', path: ['fleet'] },
  { flag: 'definitions', variable: 'REINDEX_DEFINITIONS', path: ['definitions'] },
  { flag: 'definition', variable: 'REINDEX_DEFINITION', path: ['definition'] },
  { flag: 'source', variable: 'REINDEX_SOURCE_URL', path: ['source', 'url'] },
  { flag: 'target', variable: 'REINDEX_TARGET_URL', path: ['target', 'url'] },
  { flag: 'targetUsername', variable: 'REINDEX_TARGET_USERNAME', path: ['target', 'username'] },
  { flag: 'journal', variable: 'REINDEX_JOURNAL', path: ['journal', 'url'] },
  { flag: 'workers', variable: 'REINDEX_WORKERS', path: ['workers', 'count'], number: true },
  { flag: 'ranges', variable: 'REINDEX_RANGES', path: ['ranges', 'count'], number: true },
];

export type Flags = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings file and the values that come before it. Throws `Faults` with every fault at once. Each has its
 * file, line and column, or the flag or variable that it came from.
 *
 * @param needs what the command reads of the settings; null: all of them
 */
export async function loadSettings(
  flags: Flags,
  environment: Environment,
  workingFolder: string,
  needs: NeededSettings | null = null,
): Promise<Settings> {
  const file = settingsFile(flags, environment, workingFolder);
  const written = { text: await readSettingsFile(file), file, folder: dirname(file) };
  return settingsFrom(written, { flags, environment, workingFolder, needs });
}

/** Settings as a person wrote them, in YAML or JSON. */
export interface WrittenSettings {
  readonly text: string;
  /** Where they come from, for faults. */
  readonly file: string;
  /** The folder that their paths are relative to. */
  readonly folder: string;
}

/** The values that come before written settings. Their paths are relative to the working folder. */
export interface SettingsAbove {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly workingFolder: string;
  /** What the command reads of the settings. Null: all of them. */
  readonly needs?: NeededSettings | null;
}

/** Validates written settings and the values that come before them. Throws `Faults` as `loadSettings` does. */
export function settingsFrom({ text, file, folder }: WrittenSettings, above: SettingsAbove): Settings {
  const { environment, workingFolder, needs = null } = above;
  const overrides = overridesOf(above.flags, environment);
  const yaml = withOverrides(readYaml(text, file), overrides);
  const secrets = secretsIn(environment);
  const check = (current: YamlFile) =>
    withCredentialFaults(credentialFaults(current, secrets), () => checkSettings(current));
  const written = needs === null ? check(yaml) : checkNeeded(yaml, needs, check);
  const overridden = new Set(overrides.map(({ path }) => path.join('.')));
  const base = (path: string): string => (overridden.has(path) ? workingFolder : folder);
  const { journal } = written;
  return {
    ...written,
    file,
    definitions: resolve(base('definitions'), written.definitions),
    journal: {
      ...journal,
      url: journal.url === null ? null : placeOf(journal.url).absolute(journal.url, base('journal.url')),
    },
    secrets,
  };
}

/**
 * Reads settings from a text that is not a file, e.g. from a variable of the environment that a stack has set. No flag
 * and no variable comes before it. Its paths stay as they are written, because there is no folder for them. It has no
 * secrets.
 *
 * @param name names the text in faults
 * @throws Faults with every fault at once
 */
export function parseSettings(text: string, name: string): Settings {
  return { ...checkSettings(readYaml(text, name)), file: name, secrets: secretsIn({}) };
}

function checkSettings(yaml: YamlFile) {
  return checkForm(yaml, (current) => checkYaml(settingsSchema, current));
}

function secretsIn(environment: Environment): Settings['secrets'] {
  return {
    sourcePassword: environment.REINDEX_SOURCE_PASSWORD ?? null,
    targetPassword: environment.REINDEX_TARGET_PASSWORD ?? null,
    // An empty variable is none, as for the settings.
    targetApiKey: environment.REINDEX_TARGET_API_KEY || null,
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
    positionOf: (path, offset) => positionOf(originOf(path)) ?? yaml.positionOf(path, offset),
    faultAt: (path, message, offset) => {
      const place = positionOf(originOf(path));
      return place === null
        ? yaml.faultAt(path, message, offset)
        : { ...place, path: formatPath(path), message };
    },
  };
}

function positionOf(origin: string | undefined): Position | null {
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
