import { isOwnAliasOf } from '../names.ts';
import type { IndexDescription } from '../index-meta.ts';
import type { IndexBody } from '../mapping.ts';
import { anyTakesFields } from './brought-fields.ts';
import { type Field, fieldDifferences, sameField } from './field-differences.ts';
import { judgeSetting } from './setting-rules.ts';

/** The parts of our mappings beside the properties. */
const OUR_MAPPING_PARTS = new Set(['dynamic', '_meta', 'properties']);
/** These only matter to fields that a document brings unasked. Where no object of the mapping takes any, they do no harm. */
const PARTS_FOR_UNASKED_FIELDS = new Set([
  'date_detection',
  'numeric_detection',
  'dynamic_date_formats',
  'dynamic_templates',
]);

export interface IndexDifferences {
  /** What loses, hides or differs from what was asked for. */
  readonly faults: readonly string[];
  /** What nobody asked for and does no harm. */
  readonly harmless: readonly string[];
}

/**
 * Compares a whole index with what was asked for: settings, mapping and, if `aliases` is given, aliases. Index templates
 * are merged into every index that is created. Pure.
 *
 * @param becomes what the cluster makes of the asked fields where no template can meddle; for fields that it knows
 */
export function indexDifferences(
  asked: IndexBody,
  found: IndexDescription,
  becomes: Readonly<Record<string, Field>>,
): IndexDifferences {
  const unasked = unaskedSettings(asked, found);
  const parts = Object.keys(found.mappings).filter((part) => !OUR_MAPPING_PARTS.has(part));
  const isHarmless = (part: string): boolean =>
    PARTS_FOR_UNASKED_FIELDS.has(part) && !anyTakesFields(asked.mappings.properties);
  return {
    faults: [
      ...settingFaults(asked, found),
      ...unasked.flatMap(({ name, value, verdict }) =>
        verdict.kind === 'refused' ? [`it came with ${name}: ${value} (${verdict.why})`] : [],
      ),
      ...(String(found.mappings.dynamic) === 'strict'
        ? []
        : [`its mapping is dynamic: ${String(found.mappings.dynamic)}, not strict`]),
      ...parts.filter((part) => !isHarmless(part)).map((part) => `its mapping came with "${part}"`),
      ...mappingFaults(asked, found, becomes),
    ],
    harmless: [
      ...unasked.flatMap(({ name, value, verdict }) =>
        verdict.kind === 'harmless' ? [`${name}: ${value}`] : [],
      ),
      ...parts.filter(isHarmless).map((part) => `"${part}" in its mapping`),
    ],
  };
}

/** The aliases that an index came with, beside write aliases of its own. */
export function foreignAliases(index: string, found: IndexDescription): string[] {
  const foreign = Object.keys(found.aliases).filter((alias) => !isOwnAliasOf(index, alias));
  return foreign.map((alias) => `it came with the alias "${alias}"`);
}

/** The asked fields that are not word for word as asked for. */
export function fieldsNotAsAsked(asked: IndexBody, found: IndexDescription): string[] {
  const properties = found.mappings.properties ?? {};
  return Object.entries(asked.mappings.properties).flatMap(([name, field]) => {
    const there = properties[name];
    return there === undefined || sameField(field, there) ? [] : [name];
  });
}

/** An asked value of null is the cluster's default, whatever a template says. */
function settingFaults(asked: IndexBody, found: IndexDescription): string[] {
  return Object.entries(asked.settings).flatMap(([name, value]) => {
    const there = found.settings[name] ?? null;
    if (String(there) === String(value)) return [];
    return [`setting ${name} is ${there === null ? 'not set' : String(there)}, not ${String(value)}`];
  });
}

function unaskedSettings(asked: IndexBody, found: IndexDescription) {
  return Object.entries(found.settings)
    .filter(([name, value]) => !(name in asked.settings) && value !== null)
    .map(([name, value]) => ({
      name,
      value: String(value),
      verdict: judgeSetting(name, value, asked.settings),
    }));
}

function mappingFaults(
  asked: IndexBody,
  found: IndexDescription,
  becomes: Readonly<Record<string, Field>>,
): string[] {
  const properties = found.mappings.properties ?? {};
  const foreign = Object.keys(properties).filter((name) => !(name in asked.mappings.properties));
  return [
    ...foreign.map((name) => `it came with the field "${name}"`),
    ...Object.entries(asked.mappings.properties).flatMap(([name, field]) => {
      const there = properties[name];
      if (there === undefined) return [`the field "${name}" is missing`];
      const without = becomes[name];
      if (without !== undefined && sameField(without, there)) return [];
      return fieldDifferences(name, without ?? field, there);
    }),
  ];
}
