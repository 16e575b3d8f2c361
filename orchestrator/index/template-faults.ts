import type { IndexDescription } from './index-meta.ts';
import type { IndexBody } from './mapping.ts';

/** Parts of a field's mapping that a template may add and that change what is stored or found. */
const FOREIGN_PARAMETERS = [
  'analyzer',
  'search_analyzer',
  'normalizer',
  'copy_to',
  'index',
  'doc_values',
  'null_value',
  'enabled',
  'store',
  'coerce',
  'ignore_malformed',
];
/** The parts of our mappings beside the properties. */
const OUR_MAPPING_PARTS = new Set(['dynamic', '_meta', 'properties']);

/**
 * What of a new index differs from what was asked for. Index templates are merged into every index that is created.
 * Empty when nothing differs. What the cluster leaves out is its own default.
 */
export function templateFaults(
  asked: IndexBody,
  aliases: readonly string[],
  found: IndexDescription,
): string[] {
  return [...aliasFaults(aliases, found), ...settingFaults(asked, found), ...mappingFaults(asked, found)];
}

function aliasFaults(aliases: readonly string[], found: IndexDescription): string[] {
  const foreign = Object.keys(found.aliases).filter((alias) => !aliases.includes(alias));
  return foreign.map((alias) => `it came with the alias "${alias}"`);
}

function settingFaults(asked: IndexBody, found: IndexDescription): string[] {
  const different = Object.entries(asked.settings).filter(
    ([name, value]) => String(found.settings[name]) !== String(value),
  );
  const blocks = Object.keys(found.settings).filter(
    (name) => name.startsWith('index.blocks.') && !(name in asked.settings),
  );
  return [
    ...different.map(
      ([name, value]) => `setting ${name} is ${String(found.settings[name])}, not ${String(value)}`,
    ),
    ...blocks.map((name) => `it came with the block ${name}`),
  ];
}

function mappingFaults(asked: IndexBody, found: IndexDescription): string[] {
  const { mappings } = found;
  const properties = mappings.properties ?? {};
  const foreign = Object.keys(properties).filter((name) => !(name in asked.mappings.properties));
  const parts = Object.keys(mappings).filter((part) => !OUR_MAPPING_PARTS.has(part));
  return [
    ...(String(mappings.dynamic) === 'strict'
      ? []
      : [`its mapping is dynamic: ${String(mappings.dynamic)}, not strict`]),
    ...parts.map((part) => `its mapping came with "${part}"`),
    ...foreign.map((name) => `it came with the field "${name}"`),
    ...Object.entries(asked.mappings.properties).flatMap(([name, field]) =>
      fieldFaults(name, field, properties[name]),
    ),
  ];
}

type Field = Readonly<Record<string, unknown>>;

function fieldFaults(name: string, asked: Field, found: Field | undefined): string[] {
  if (found === undefined) return [`the field "${name}" is missing`];
  const askedType = asked.type ?? 'object';
  const foundType = found.type ?? 'object';
  if (askedType !== foundType)
    return [`the field "${name}" is ${JSON.stringify(foundType)}, not ${JSON.stringify(askedType)}`];
  const foreign = FOREIGN_PARAMETERS.filter((parameter) => parameter in found && !(parameter in asked));
  return foreign.map(
    (parameter) => `the field "${name}" came with ${parameter}: ${JSON.stringify(found[parameter])}`,
  );
}
