import type { DescribedDefinition, IndexDefinition } from './definition.ts';

/**
 * One reading of a table for several indexes. A definition names the reading: its table, joins and fields. Each target
 * has a definition of its own, which may have another `where` and leave fields out. Pure.
 */

/** What a row of the reading has besides its key and its time of change. */
export interface ReadingColumns {
  /** The different conditions of the targets, each a boolean of the row. */
  readonly wheres: readonly string[];
  /** The fields that at least one target takes, in the order of the reading's definition. */
  readonly fields: readonly ReadingField[];
}

export interface ReadingField {
  readonly name: string;
  readonly sql: string;
  readonly oid: number;
  /** The field is evaluated where one of these conditions holds, by their places in `wheres`. Null: in every row. */
  readonly wheres: readonly number[] | null;
}

/** What the rows of a reading have for these targets. */
export function readingColumns(
  reading: DescribedDefinition,
  targets: readonly IndexDefinition[],
): ReadingColumns {
  const conditions = targets.map(({ source }) => source.where).filter((where) => where !== null);
  const wheres = [...new Set(conditions)];
  const fields = reading.definition.document.flatMap(({ name, sql }, i): ReadingField[] => {
    const takers = targets.filter(({ document }) => document.some((field) => field.name === name));
    if (takers.length === 0) return [];
    const { oid = 0 } = reading.fields[i] ?? {};
    return [{ name, sql, oid, wheres: evaluatedUnder(takers, wheres) }];
  });
  return { wheres, fields };
}

function evaluatedUnder(takers: readonly IndexDefinition[], wheres: readonly string[]): number[] | null {
  const places = new Set<number>();
  for (const { source } of takers) {
    if (source.where === null) return null;
    places.add(wheres.indexOf(source.where));
  }
  return [...places];
}

/** A target's definition with the types that the reading has found. Its fields have the same SQL. */
export function describedTarget(reading: DescribedDefinition, target: IndexDefinition): DescribedDefinition {
  const fields = target.document.map(({ name }) => {
    const field = reading.fields.find((one) => one.name === name);
    if (field === undefined) throw new Error(`The reading has no field "${name}".`);
    return field;
  });
  return { definition: target, fields, changedAtOid: reading.changedAtOid };
}

/** Why a definition cannot be a target of a reading, as a sentence. Null when it can. */
export function faultOfTarget(reading: IndexDefinition, target: IndexDefinition): string | null {
  const names = `The definition ${target.name} cannot be filled by reading ${reading.name}`;
  for (const [what, of] of SAME_SOURCE) {
    if (JSON.stringify(of(reading)) !== JSON.stringify(of(target))) {
      return `${names}: they differ in ${what}. Make it the same in both, or read each by itself.`;
    }
  }
  for (const { name, sql } of target.document) {
    const field = reading.document.find((one) => one.name === name);
    if (field === undefined)
      return `${names}, which has no field "${name}". Add the field to ${reading.name}.`;
    if (field.sql !== sql) {
      return `${names}: they have different expressions for the field "${name}". Write the same one in both.`;
    }
  }
  return null;
}

/** What a target's source must have in common with its reading. */
const SAME_SOURCE: readonly (readonly [string, (definition: IndexDefinition) => unknown])[] = [
  ['source.table', ({ source }) => source.table],
  ['source.as', ({ source }) => source.as],
  ['source.key', ({ source }) => source.key],
  ['source.joins', ({ source }) => source.joins.map(({ left, on }) => [left, on])],
  ['source.changed_at', ({ source }) => source.changedAt],
  ['source.unusable_changed_at', ({ source }) => source.unusableChangedAt],
  ['source.time_zone', ({ source }) => source.timeZone],
];
