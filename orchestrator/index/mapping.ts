import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import { defaultMapping } from '../../definition/field-types.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { IndexMeta } from './index-meta.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** What an index says about the run that created it. */
export interface IndexOrigin {
  readonly fleet: string;
  readonly run: string;
  readonly runKey: string;
  readonly definitionDigest: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** The body of the call that creates an index, without aliases. Settings have their full names. */
export interface IndexBody {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly mappings: {
    readonly dynamic: 'strict';
    readonly _meta: { readonly reindex_fleet: IndexMeta };
    readonly properties: Readonly<Record<string, Mapping>>;
  };
}

/**
 * The settings while an index is built: no refresh, no replicas, and no pipeline from a template. A cluster that refuses
 * an index without replicas gets the least number that it takes (`withReplicas`).
 */
const BUILD_SETTINGS = {
  'index.refresh_interval': '-1',
  'index.number_of_replicas': '0',
  'index.final_pipeline': '_none',
};

/** The body for the target. */
export function targetBody(described: DescribedDefinition, origin: IndexOrigin): IndexBody {
  const settings = targetSettings(described.definition);
  return bodyOf(settings, targetProperties(described), metaFor(described, origin, 'target'));
}

/** The settings that the target is created with. */
export function targetSettings(definition: IndexDefinition): Mapping {
  return { ...askedSettings(definition), ...BUILD_SETTINGS };
}

/** The same body with another number of replicas. */
export function withReplicas(body: IndexBody, replicas: number): IndexBody {
  return { ...body, settings: { ...body.settings, 'index.number_of_replicas': String(replicas) } };
}

/** What the target is to be when its pass has ended. */
export function finishedBody(described: DescribedDefinition, meta: IndexMeta): IndexBody {
  const { index } = described.definition;
  const settings = {
    ...askedSettings(described.definition),
    ...BUILD_SETTINGS,
    'index.refresh_interval': index.refreshInterval,
    'index.number_of_replicas': String(index.numberOfReplicas),
  };
  return bodyOf(settings, targetProperties(described), meta);
}

/** The settings that a definition asks for, by their full names. */
export function askedSettings({ index }: IndexDefinition): Mapping {
  return fullNames(index.settings);
}

/** The fields of the target. Every field is named, so that neither a template nor a document supplies a type. */
export function targetProperties({
  definition,
  fields,
}: DescribedDefinition): Readonly<Record<string, Mapping>> {
  const properties: Record<string, Mapping> = { [definition.source.key]: keyKindOf(definition).mapping };
  for (const { name, mapping } of definition.document) {
    const field = fields.find((candidate) => candidate.name === name);
    if (field === undefined)
      throw new Error(`field "${name}" of definition "${definition.name}" has no described type`);
    properties[name] = mapping ?? defaultMapping(field.oid, field.jsonString);
  }
  return properties;
}

/** The body for the companion, which holds dead letters: rows that could not become documents, by their key. */
export function deadLetterBody(described: DescribedDefinition, origin: IndexOrigin): IndexBody {
  const properties = {
    [described.definition.source.key]: keyKindOf(described.definition).mapping,
    type: { type: 'keyword' },
    reason: { type: 'text' },
    fields: { type: 'object', enabled: false },
  };
  const settings = companionSettings(described.definition);
  return bodyOf(settings, properties, metaFor(described, origin, 'dead_letters'));
}

/** The settings that the companion is created with. */
export function companionSettings(definition: IndexDefinition): Mapping {
  return { ...settingsForBoth(definition), 'index.number_of_shards': '1', ...BUILD_SETTINGS };
}

/** Where an index is, who manages it and who finds it. Fields and their texts have no part in these. */
const OF_THE_WHOLE_INDEX =
  /^index\.(hidden|lifecycle\.|plugins\.|opendistro\.|routing\.allocation\.|search\.default_pipeline|translog\.)/;

/**
 * What a definition decides for the companion, too: settings of the index as a whole, and the templates' settings that
 * it keeps away by null. Without this, a template that matches both names could not be answered.
 */
function settingsForBoth(definition: IndexDefinition): Mapping {
  return Object.fromEntries(
    Object.entries(askedSettings(definition)).filter(
      ([name, value]) => value === null || OF_THE_WHOLE_INDEX.test(name),
    ),
  );
}

/** Gives settings their full names (`index.analysis.…`), nested or not, and writes values as the cluster does. Null stays. */
export function fullNames(settings: Mapping, prefix = 'index'): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]): [string, unknown][] => {
      const path = name === 'index' || name.startsWith('index.') ? name : `${prefix}.${name}`;
      const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
      if (nested) return Object.entries(fullNames(value as Mapping, path));
      if (value === null) return [[path, null]];
      if (Array.isArray(value)) return [[path, value.map(String)]];
      return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
    }),
  );
}

/** The value of a setting as one text. */
export function settingText(value: unknown): string {
  if (Array.isArray(value)) return value.map(settingText).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function bodyOf(
  settings: Mapping,
  properties: Readonly<Record<string, Mapping>>,
  meta: IndexMeta,
): IndexBody {
  return { settings, mappings: { dynamic: 'strict', _meta: { reindex_fleet: meta }, properties } };
}

function metaFor(
  { definition }: DescribedDefinition,
  origin: IndexOrigin,
  role: IndexMeta['role'],
): IndexMeta {
  return {
    schema: 1,
    fleet: origin.fleet,
    run: origin.run,
    run_key: origin.runKey,
    alias: definition.alias,
    definition: definition.name,
    definition_digest: origin.definitionDigest,
    role,
    created_at: origin.createdAt,
  };
}
