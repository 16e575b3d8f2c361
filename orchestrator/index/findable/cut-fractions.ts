import type { DescribedDefinition } from '../../../definition/definition.ts';
import { OID } from '../../../definition/field-types.ts';
import { baseFrom, rangeCondition, readableExpression, whereCondition } from '../../../definition/sql.ts';
import type { KeyRange } from '../../../definition/key/key-range.ts';
import { RunFailed } from '../../errors.ts';
import { plural } from '../../report/words.ts';
import { sideBySide } from '../../side-by-side.ts';
import { askedSettings, targetProperties } from '../mapping.ts';
import type { ValidationSource } from '../validation-source.ts';
import type { Field } from './indexing.ts';

/**
 * A field of whole numbers takes 7.5 and indexes 7, and `_source` still shows 7.5. The cluster marks no such document, and a
 * sample of rows may not meet one. So the table is asked for such values.
 */

export interface CutInput {
  readonly source: Pick<ValidationSource, 'fractions'>;
  readonly described: DescribedDefinition;
  readonly ranges: readonly KeyRange[];
  /** How many ranges are asked for at a time. */
  readonly concurrency: number;
}

/** Requires that no row has a fraction where its field cuts fractions off. Throws RunFailed with the fields. */
export async function requireNothingCut({ source, described, ranges, concurrency }: CutInput): Promise<void> {
  const cutting = cuttingFields(described);
  if (cutting.length === 0) return;
  const counts = await sideBySide(ranges, concurrency, (range) => source.fractions(range, cutting));
  const found = cutting
    .map((name, i) => ({ name, rows: counts.reduce((sum, count) => sum + (count[i] ?? 0), 0) }))
    .filter(({ rows }) => rows > 0);
  if (found.length === 0) return;
  const named = found.map(({ name, rows }) => `document.${name} (${plural(rows, 'row')})`).join(', ');
  throw new RunFailed(
    `values with a fraction stand in fields of whole numbers: ${named}. The index holds them without the fraction, and _source still shows it. Map such a field as double or scaled_float, or round it in its expression. If fractions may be cut off, write coerce: true into the field's mapping.`,
  );
}

const WHOLE = /^(long|integer|short|byte|unsigned_long)$/;
const WHOLE_COLUMNS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8]);

/** The fields whose mapping cuts off a fraction, unasked, and whose expression may have one. Pure. */
function cuttingFields(described: DescribedDefinition): string[] {
  const { definition, fields } = described;
  const coerces = askedSettings(definition)['index.mapping.coerce'] ?? null;
  // A pipeline may change the values as it likes, and with coerce: false the cluster itself refuses them.
  if (definition.pipeline !== null || coerces !== null) return [];
  const properties = targetProperties(described);
  return definition.document.flatMap(({ name, compare }, i) => {
    const isWhole = WHOLE_COLUMNS.has(fields[i]?.oid ?? 0);
    return isWhole || compare === false || !cuts(properties[name]) ? [] : [name];
  });
}

function cuts(field: unknown): boolean {
  if (typeof field !== 'object' || field === null) return false;
  const { type, coerce, fields = {} } = field as Field;
  if (typeof type === 'string' && WHOLE.test(type) && coerce === undefined) return true;
  return Object.values(fields as Field).some(cuts);
}

/** A number with a fraction: the whole of a text, or an element of a list or of JSON. */
const FRACTION = '[-+]?([0-9]*[.][0-9]*[1-9][0-9]*(e-[0-9]+)?|[0-9]+e-[0-9]+)';
const SPACE = '[[:space:]]*';
const ALONE = `^${SPACE}"?${SPACE}${FRACTION}${SPACE}"?${SPACE}$`;
const ELEMENT = `[[{,"]${SPACE}${FRACTION}${SPACE}[]},"]`;

/** Counts in a range, for each of the fields, the rows that the definition keeps and that have a fraction there. */
export function fractionsStatement(
  { definition, fields }: DescribedDefinition,
  range: KeyRange,
  names: readonly string[],
): string {
  const counts = names.map((name) => {
    const i = definition.document.findIndex((field) => field.name === name);
    const value = readableExpression(
      definition.document[i]?.sql ?? '',
      fields[i]?.oid ?? 0,
      definition.source.timeZone,
    );
    const pattern = `CASE WHEN ${value}::text ~ '^${SPACE}[[{]' THEN '${ELEMENT}' ELSE '${ALONE}' END`;
    return `count(*) FILTER (WHERE ${value}::text ~ ${pattern})::text`;
  });
  return `SELECT ARRAY[${counts.join(', ')}] AS rows\n${baseFrom(definition)}\nWHERE ${rangeCondition(definition, range)} AND ${whereCondition(definition)}`;
}
