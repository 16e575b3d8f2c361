import type { DescribedDefinition, IndexDefinition } from './definition.ts';
import { fieldType, OID, TIMESTAMP_ARRAY_OID } from './field-types.ts';
import type { Key } from './key/key-kind.ts';
import type { KeyRange } from './key/key-range.ts';
import { keyKindOf } from './key/kinds.ts';
import { parseSqlName } from './names.ts';
import { type ReadingField, readingColumns } from './reading.ts';

/**
 * The SQL made from a definition. Its expressions are in parentheses and on lines of their own. So a comment at the end
 * of one does no harm to what follows.
 */

/**
 * Reads the rows of a range as PostgreSQL's binary COPY, in key order. The columns are: the key in its kind's type; for
 * each different `where` of the targets, whether the row is kept; with `changedAt`, its time; then one for each
 * document field that a target takes.
 * @param targets what is read for; by default the definition itself
 * @param condition an SQL condition of the rows that are read; by default all rows of the range are
 */
export function copyStatement(
  described: DescribedDefinition,
  range: KeyRange,
  targets: readonly IndexDefinition[] = [described.definition],
  condition: string | null = null,
): string {
  return `COPY (\n${selectRows(described, range, targets, condition)}\n) TO STDOUT (FORMAT binary)`;
}

/** The query of `copyStatement`. In rows that no target of a field keeps, the field is null and never evaluated. */
export function selectRows(
  described: DescribedDefinition,
  range: KeyRange,
  targets: readonly IndexDefinition[] = [described.definition],
  condition: string | null = null,
): string {
  const { definition } = described;
  const { wheres, fields } = readingColumns(described, targets);
  const columns = [
    typedKey(definition),
    ...wheres.map((_, i) => keptName(i)),
    ...changedAtColumn(described),
    ...fields.map((field) => fieldColumn(field, definition.source.timeZone)),
  ];
  return [
    `SELECT ${columns.join(',\n')}`,
    baseFrom(definition),
    ...keptJoin(definition, wheres),
    `WHERE ${[rangeCondition(definition, range), ...(condition === null ? [] : [condition])].join(' AND ')}`,
    `ORDER BY ${qualifiedKey(definition)}`,
  ].join('\n');
}

/**
 * Says which of the targets' conditions hold for the rows of a range: a boolean for each condition of `readingColumns`.
 */
export function keptStatement(
  definition: IndexDefinition,
  range: KeyRange,
  wheres: readonly [string, ...string[]],
): string {
  return [
    `SELECT ${wheres.map((_, i) => keptName(i)).join(', ')}`,
    baseFrom(definition),
    ...keptJoin(definition, wheres),
    `WHERE ${rangeCondition(definition, range)}`,
  ].join('\n');
}

function fieldColumn({ sql, oid, wheres }: ReadingField, timeZone: string): string {
  const field = readableExpression(sql, oid, timeZone);
  return wheres === null ? field : `CASE WHEN ${wheres.map(keptName).join(' OR ')} THEN ${field} END`;
}

/** A name that no column of a user's table has. */
const KEPT = 'reindex_fleet_kept';

function keptName(place: number): string {
  return place === 0 ? KEPT : `${KEPT}_${place + 1}`;
}

/**
 * Columns that say whether each `where` holds. As in a WHERE, neither true nor false means no. OFFSET keeps the planner
 * from merging the subquery. The key in it keeps the planner from evaluating a condition without columns once for all
 * rows. So it is evaluated once per row, the same for all fields even when it is volatile. That is at least as fast as
 * repeating it for each field (measured).
 */
function keptJoin(definition: IndexDefinition, wheres: readonly string[]): string[] {
  if (wheres.length === 0) return [];
  const kept = wheres.map((where, i) => `coalesce(${parenthesized(where)}, false) AS ${keptName(i)}`);
  return [`CROSS JOIN LATERAL (SELECT ${kept.join(', ')} OFFSET 0 * ${qualifiedKey(definition)}) AS ${KEPT}`];
}

/** The bare expressions, for whose types `describe.ts` asks: `changedAt` first if there is one, then the fields. */
export function selectBareExpressions(definition: IndexDefinition): string {
  const { changedAt } = definition.source;
  const expressions = [
    ...(changedAt === null ? [] : [changedAt]),
    ...definition.document.map((field) => field.sql),
  ];
  return `SELECT ${expressions.map(parenthesized).join(',\n')}\n${baseFrom(definition)}\nLIMIT 0`;
}

/**
 * Counts a range in the source alone. Columns, each int8: `base_rows` (of the base table), `joined_rows` (that come out
 * of the joins; another number means that the joins lose or multiply rows), `kept_rows` (that pass `where`).
 */
export function countStatement(definition: IndexDefinition, range: KeyRange): string {
  const { table, where } = definition.source;
  const inRange = rangeCondition(definition, range);
  return [
    `SELECT (SELECT count(*) FROM ${table} AS ${baseAlias(definition)} WHERE ${inRange}) AS base_rows,`,
    `count(*) AS joined_rows,`,
    where === null ? 'count(*) AS kept_rows' : `count(*) FILTER (WHERE ${parenthesized(where)}) AS kept_rows`,
    baseFrom(definition),
    `WHERE ${inRange}`,
  ].join('\n');
}

/**
 * Finds where the next `rows` rows of a range end, in the base table alone. Columns: `last_key` (null when there is
 * none), `rows` (how many there are, at most those asked for).
 */
export function nextKeysStatement(definition: IndexDefinition, range: KeyRange, rows: number): string {
  const key = qualifiedKey(definition);
  return [
    'SELECT max(next.key) AS last_key, count(*) AS rows FROM (',
    `SELECT ${typedKey(definition)} AS key FROM ${definition.source.table} AS ${baseAlias(definition)}`,
    `WHERE ${rangeCondition(definition, range)} ORDER BY ${key} LIMIT ${rows}`,
    ') AS next',
  ].join('\n');
}

/** Finds the least and the greatest key of the base table. Columns: `least`, `greatest` (null when it is empty). */
export function keyBoundsStatement(definition: IndexDefinition): string {
  const key = typedKey(definition);
  return `SELECT min(${key}) AS least, max(${key}) AS greatest FROM ${definition.source.table} AS ${baseAlias(definition)}`;
}

/** `FROM table AS x LEFT JOIN … ON (…)`. */
export function baseFrom(definition: IndexDefinition): string {
  const { table, joins } = definition.source;
  return [
    `FROM ${table} AS ${baseAlias(definition)}`,
    ...joins.map(({ left, on }) => `LEFT JOIN ${left}\nON ${parenthesized(on)}`),
  ].join('\n');
}

/** The definition with its base table alone. */
export function withoutJoins(definition: IndexDefinition): IndexDefinition {
  return { ...definition, source: { ...definition.source, joins: [] } };
}

/**
 * The half-open range as a condition on the key. A row without a key is in no range, also where both ends are open. The
 * condition never says IS NOT NULL, which the planner leaves out where it trusts the catalogue.
 */
export function rangeCondition(definition: IndexDefinition, range: KeyRange): string {
  const key = qualifiedKey(definition);
  const conditions = [
    ...(range.start === null ? [] : [`${key} >= ${keyLiteral(definition, range.start)}`]),
    ...(range.end === null ? [] : [`${key} < ${keyLiteral(definition, range.end)}`]),
  ];
  if (conditions.length > 0) return conditions.join(' AND ');
  return `${key} >= ${keyLiteral(definition, keyKindOf(definition).least)}`;
}

/** The condition for a row to be kept. `true` when the definition keeps all rows. */
export function whereCondition({ source }: IndexDefinition): string {
  return source.where === null ? 'true' : parenthesized(source.where);
}

/** The key column by its full name. An unqualified name could mean a column of the result. */
export function qualifiedKey(definition: IndexDefinition): string {
  return `${baseAlias(definition)}.${quoteIdentifier(definition.source.key)}`;
}

/** The key column in the type that its kind reads. */
export function typedKey(definition: IndexDefinition): string {
  return `${qualifiedKey(definition)}::${keyKindOf(definition).sqlType}`;
}

function keyLiteral(definition: IndexDefinition, key: Key): string {
  const kind = keyKindOf(definition);
  return `${quoteLiteral(kind.format(key))}::${kind.sqlType}`;
}

/**
 * Settings of the transactions in which documents are made, so that a value reads the same on every server. They are
 * PostgreSQL's own defaults, except for the zone. `extra_float_digits` of 1 and above means the shortest exact digits.
 */
export const PINNED_SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  // A policy that hides rows from this user becomes an error. Otherwise they would silently be missing from the index.
  row_security: 'off',
};

/** `SET LOCAL` statements for a transaction that has begun. */
export function setLocal(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `SET LOCAL ${quoteIdentifier(name)} = ${quoteLiteral(value)}`)
    .join('; ');
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text constant. The E form says the same whatever `standard_conforming_strings` is. */
export function quoteLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

/** The base table's alias as expressions mean it: in lowercase unless it is in quotes. */
function baseAlias(definition: IndexDefinition): string {
  const written = definition.source.as;
  return quoteIdentifier(parseSqlName(written)?.[0] ?? written);
}

function parenthesized(sql: string): string {
  return `(\n${sql}\n)`;
}

function changedAtColumn({ definition, changedAtOid }: DescribedDefinition): string[] {
  const { changedAt, timeZone } = definition.source;
  return changedAt === null ? [] : [readableExpression(changedAt, changedAtOid ?? OID.timestamptz, timeZone)];
}

/** An expression in a type that the worker's encoders read. */
export function readableExpression(sql: string, oid: number, timeZone: string): string {
  if (!fieldType(oid).native) return `to_jsonb(${parenthesized(sql)})`;
  if (timeZone === 'UTC') return parenthesized(sql);
  if (oid === TIMESTAMP_ARRAY_OID) throw new Error(timestampArrayMessage(sql, timeZone));
  return oid === OID.timestamp
    ? `(${parenthesized(sql)} AT TIME ZONE ${quoteLiteral(timeZone)})`
    : parenthesized(sql);
}

function timestampArrayMessage(sql: string, timeZone: string): string {
  return `"${sql}" is an array of timestamp without time zone, which is read in UTC only, but time_zone is ${timeZone}: make it timestamptz[] in the expression.`;
}
