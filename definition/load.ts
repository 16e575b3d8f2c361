import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { FieldDefinition, IndexDefinition } from './definition.ts';
import { type Fault, Faults } from './faults.ts';
import { definitionNameFault, parseSqlName, writeSqlName } from './names.ts';
import { definitionSchema, type WrittenDefinition } from './schema.ts';
import { checkYaml, type FaultAt, type PositionOf, readYaml } from './yaml-file.ts';

/** A larger file is not a definition. It is refused unread. */
const MAX_FILE_BYTES = 1024 * 1024;

/** A definition with the places of its settings, so that a database's error can be shown where it belongs. */
export interface LoadedDefinition {
  readonly definition: IndexDefinition;
  readonly file: string;
  /** As a person wrote it. */
  readonly text: string;
  /** `path` is the path in the YAML: `['source', 'joins', 0, 'on']`. */
  readonly positionOf: PositionOf;
  /** Makes a fault of one of its settings. `place` is a place in the setting's text. */
  readonly faultAt: FaultAt;
}

/**
 * Reads the index definitions of a file, or of a folder's *.yaml and *.yml files (not of folders in it), sorted by file
 * name. Throws `Faults` with everything that is wrong in any of them.
 */
export async function loadDefinitions(path: string): Promise<IndexDefinition[]> {
  return (await loadDefinitionsWithPositions(path)).map((loaded) => loaded.definition);
}

export async function loadDefinitionsWithPositions(path: string): Promise<LoadedDefinition[]> {
  const files = await definitionFiles(path);
  const results = await Promise.all(files.map(loadFile));
  const loaded = results.flatMap((result) => result.loaded);
  const faults = results.flatMap((result) => result.faults);
  faults.push(...repeated(loaded, 'name'), ...repeated(loaded, 'alias'));
  if (faults.length > 0) throw new Faults(faults);
  return loaded;
}

/** Reads one definition from its text. Faults name `file`, and it gives the name if the text gives none. */
export function parseDefinition(text: string, file: string): LoadedDefinition {
  const yaml = readYaml(text, file);
  const written = checkYaml(definitionSchema, yaml);
  const name = written.name ?? basename(file, extname(file));
  if (written.name === undefined && definitionNameFault(name) !== null) {
    throw new Faults([
      {
        file,
        line: 1,
        column: 1,
        path: 'name',
        message: `Its file's name cannot name the definition: write name: … here. ${definitionNameFault(name)}`,
      },
    ]);
  }
  return {
    definition: toDefinition(written, name),
    file,
    text,
    positionOf: yaml.positionOf,
    faultAt: yaml.faultAt,
  };
}

async function definitionFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
    if (names.length > 0) return names.map((name) => join(path, name));
  } catch (error) {
    throw new Faults([fileFault(path, unreadable(error))], { cause: error });
  }
  throw new Faults([fileFault(path, 'This folder holds no index definition: put one into it as NAME.yaml.')]);
}

async function loadFile(file: string): Promise<{ loaded: LoadedDefinition[]; faults: readonly Fault[] }> {
  try {
    return { loaded: [parseDefinition(await readText(file), file)], faults: [] };
  } catch (error) {
    return {
      loaded: [],
      faults: error instanceof Faults ? error.faults : [fileFault(file, unreadable(error))],
    };
  }
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_FILE_BYTES)
    throw new Faults([
      fileFault(file, 'This is larger than 1 MiB, so it is not an index definition: name another file.'),
    ]);
  const bytes = await readFile(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Faults([fileFault(file, 'This is not UTF-8: save it as UTF-8.')], { cause: error });
  }
}

function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return 'There is no such file or folder.';
  if (code === 'EACCES') return 'This user may not read it.';
  if (typeof code !== 'string') throw error;
  return `It cannot be read (${code}).`;
}

/**
 * Finds definitions that share a name or an alias. Nobody could tell two of one name apart, and two of one alias would
 * take it from each other.
 */
function repeated(loaded: readonly LoadedDefinition[], property: 'name' | 'alias'): Fault[] {
  const first = new Map<string, string>();
  return loaded.flatMap(({ definition, file, faultAt }) => {
    const value = definition[property];
    const other = first.get(value);
    if (other === undefined) first.set(value, file);
    if (other === undefined) return [];
    return [faultAt([property], `${other} has the ${property} "${value}" already: give this one another.`)];
  });
}

function fileFault(file: string, message: string): Fault {
  return { file, line: null, column: null, path: '', message };
}

function toDefinition(written: WrittenDefinition, name: string): IndexDefinition {
  const { source, dead_letters: deadLetters, index } = written;
  return {
    name,
    alias: written.alias ?? name,
    source: {
      table: source.table,
      as: source.as ?? tableAlias(source.table),
      key: source.key,
      changedAt: source.changed_at ?? null,
      unusableChangedAt: source.unusable_changed_at,
      joins: source.joins,
      where: source.where ?? null,
      timeZone: source.time_zone,
    },
    document: Object.entries(written.document).map(toField),
    unrepresentable: written.unrepresentable ?? 'null',
    maxDocumentBytes: written.max_document_bytes,
    deadLetters: {
      promoteLimit: deadLetters.promote_limit,
      stopLimit: deadLetters.stop_limit,
      keepFields: deadLetters.keep_fields,
    },
    index: {
      settings: index.settings,
      numberOfReplicas: index.number_of_replicas,
      refreshInterval: index.refresh_interval,
      forcemergeSegments: index.forcemerge_segments,
      health: index.health,
    },
    promote: { shrinkLimit: written.promote.shrink_limit },
    pipeline: written.pipeline ?? null,
    retain: written.retain,
  };
}

function toField([name, field]: [string, WrittenDefinition['document'][string]]): FieldDefinition {
  const { sql, mapping, compare } = field;
  return { name, sql, mapping: mapping ?? null, ...(compare ? {} : { compare }) };
}

/** The alias of a table without `as`. It is its own name, as in SQL. */
function tableAlias(table: string): string {
  const own = parseSqlName(table)?.at(-1);
  return own === undefined ? table : writeSqlName(own);
}
