import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { parseSqlName } from '../../definition/names.ts';
import { baseFrom, qualifiedKey, rangeCondition, typedKey } from '../../definition/sql.ts';
import { mayComeFromRow, safeDatabaseWords } from '../../definition/database-words.ts';
import type { Path } from '../../definition/yaml-file.ts';
import { countWords, plural } from '../report/words.ts';
import { baseOnly, type KeyBounds, keyBounds, withJoins } from './bounds.ts';
import { databaseWords } from './database-words.ts';
import { planOf, scansWithoutBound, usesBound } from './explain.ts';
import type { Inspection } from './inspection.ts';
import type { BaseTable } from './table.ts';
import { attempt } from './transaction.ts';

/** How many stretches of the table are looked at, and how many rows of each. */
const STRETCHES = 8;
const STRETCH_ROWS = 200;
/** Rows without a key are counted up to this number. */
const COUNTED_NULLS = 100_000;

/** Requires an index for ranges of keys, so that a task does not read the whole table for its part. */
export async function inspectReach(inspection: Inspection, table: BaseTable): Promise<void> {
  const { client, definition } = inspection;
  const key = qualifiedKey(definition);
  const kind = keyKindOf(definition);
  const bound = kind.format(kind.recognisable.start);
  await client.query('SET LOCAL enable_seqscan = off');
  const plan = await planOf(
    client,
    `SELECT ${key} ${baseFrom(definition)} WHERE ${rangeCondition(definition, kind.recognisable)} ORDER BY ${key}`,
  );
  await client.query('SET LOCAL enable_seqscan = on');
  const alias = parseSqlName(definition.source.as)?.[0] ?? definition.source.as;
  const without = scansWithoutBound(plan, alias, bound);
  if (without.length === 0 && (table.kind !== 'view' || usesBound(plan, bound))) return;
  const seen = without.length > 0 ? ` (its plan has: ${without.slice(0, 3).join(', ')})` : '';
  const instead =
    table.kind === 'view'
      ? 'Index it in the table below, and let the view pass its column on as it is.'
      : 'Index it.';
  inspection.fault(
    ['source', 'key'],
    `No index leads to a range of keys of ${table.name}, so each range would read all of it${seen}. ${instead}`,
  );
}

/** Looks at stretches of rows for keys that repeat or are null, and for joins that lose or multiply rows. */
export async function inspectRows(inspection: Inspection, table: BaseTable): Promise<void> {
  const { client, definition } = inspection;
  await inspectNulls(inspection, table);
  // There is no index, or nothing that a look could show.
  if (inspection.faultIn('source.key') || (table.kind === 'table' && definition.source.joins.length === 0))
    return;
  const bounds = await keyBounds(client, definition);
  if (bounds === null) return;
  for (const start of evenlySpread(keyKindOf(definition), bounds)) {
    const range = await stretchFrom(inspection, start);
    if (!(await inspectStretch(inspection, range))) return;
  }
}

/** The keys at which stretches begin, rising. */
function evenlySpread(kind: KeyKind, { min, max }: KeyBounds): Key[] {
  const starts = [min];
  for (let i = 1; i < STRETCHES; i++) {
    const start = kind.between(min, max, i / STRETCHES);
    if (start !== null && kind.compare(start, starts.at(-1) ?? min) > 0) starts.push(start);
  }
  return starts;
}

/**
 * Looks for rows without a key, by the index where there is one. A constraint that is not valid, or that the children of
 * a table do not share, lets such rows be.
 */
async function inspectNulls(inspection: Inspection, table: BaseTable): Promise<void> {
  const { client, definition } = inspection;
  const without = `SELECT * ${baseOnly(definition)} WHERE ${qualifiedKey(definition)} IS NULL`;
  const statement = `SELECT count(*)::int AS rows FROM (${without.replace('SELECT *', 'SELECT')} LIMIT ${COUNTED_NULLS + 1}) AS rows`;
  const { result, error } = await attempt<{ rows: number }>(client, statement);
  const rows = result?.rows[0]?.rows ?? 0;
  if (error === null && rows === 0) return;
  const count = rows > COUNTED_NULLS ? `more than ${countWords(COUNTED_NULLS)} rows` : plural(rows, 'row');
  const seen =
    error === null
      ? `${count} of ${table.name} without a key would be lost: ${without} shows them`
      : `It could not be checked whether there are rows without a key, which would be lost (${databaseWords(error)})`;
  const instead =
    table.kind === 'view' || table.kind === 'materialized view'
      ? 'Leave them out in the view: WHERE … IS NOT NULL.'
      : 'Give each a key or delete it, and validate the constraint that is to keep others out.';
  inspection.fault(['source', 'key'], `${seen}. ${instead}`);
}

async function stretchFrom({ client, definition }: Inspection, start: Key): Promise<KeyRange> {
  const kind = keyKindOf(definition);
  const key = qualifiedKey(definition);
  const { rows } = await client.query<{ last: string | null }>(
    `SELECT max(key) AS last FROM (SELECT ${typedKey(definition)} AS key ${baseOnly(definition)} ` +
      `WHERE ${rangeCondition(definition, { start, end: null })} ORDER BY ${key} LIMIT ${STRETCH_ROWS}) AS stretch`,
  );
  const last = rows[0]?.last ?? null;
  return { start, end: kind.after(last === null ? start : keyFrom(kind, last)) };
}

/** Checks one stretch. False once there is a fault, because one example is enough. */
async function inspectStretch(inspection: Inspection, range: KeyRange): Promise<boolean> {
  const { definition } = inspection;
  const base = await countRows(inspection, withJoins(definition, []), range, ['source', 'table']);
  if (base === null) return false;
  if (base.rows !== base.keys) {
    const key = await repeatedKey(inspection, withJoins(definition, []), range);
    inspection.fault(['source', 'key'], `The key is not unique: several rows have ${key}.`);
    return false;
  }
  for (let joins = 1; joins <= definition.source.joins.length; joins++) {
    if (!(await inspectJoin(inspection, range, base.rows, joins))) return false;
  }
  return true;
}

/** Compares the rows that come out of the first `joins` joins with those of the table. */
async function inspectJoin(
  inspection: Inspection,
  range: KeyRange,
  baseRows: number,
  joins: number,
): Promise<boolean> {
  const joined = withJoins(inspection.definition, inspection.definition.source.joins.slice(0, joins));
  const path: Path = [
    'source',
    'joins',
    joins - 1,
    joined.source.joins.at(-1)?.on.trim() === 'true' ? 'left' : 'on',
  ];
  const count = await countRows(inspection, joined, range, path);
  if (count === null || count.rows === baseRows) return count !== null;
  if (count.rows < baseRows) {
    inspection.fault(path, 'This join loses rows. Make it a left join of one table or subquery.');
  } else {
    const key = await repeatedKey(inspection, joined, range);
    inspection.fault(
      path,
      `This join turns one row into several: the key ${key} comes out more than once. ${ONE_ROW}`,
    );
  }
  return false;
}

const ONE_ROW =
  'Join by unique columns, or aggregate the joined rows into one: LATERAL (SELECT array_agg(…) … ) AS child, on: "true".';

/** Counts rows. Null, with a fault at `path`, when they cannot be counted. */
async function countRows(inspection: Inspection, definition: IndexDefinition, range: KeyRange, path: Path) {
  const statement = `SELECT count(*)::int AS rows, count(DISTINCT ${qualifiedKey(definition)})::int AS keys ${inRange(definition, range)}`;
  const { result, error } = await attempt<{ rows: number; keys: number }>(inspection.client, statement);
  if (error !== null)
    inspection.fault(
      path,
      `A sample of ${STRETCH_ROWS} rows could not be read with this setting. ${mayComeFromRow(error) ? `${safeDatabaseWords(error)}.` : databaseWords(error)}`,
    );
  return result?.rows[0] ?? null;
}

async function repeatedKey(
  { client }: Inspection,
  definition: IndexDefinition,
  range: KeyRange,
): Promise<string> {
  const key = qualifiedKey(definition);
  const { rows } = await client.query<{ key: string }>(
    `SELECT ${key}::text AS key ${inRange(definition, range)} GROUP BY ${key} HAVING count(*) > 1 ORDER BY ${key} LIMIT 1`,
  );
  return rows[0]?.key ?? '';
}

function inRange(definition: IndexDefinition, range: KeyRange): string {
  return `${baseFrom(definition)} WHERE ${rangeCondition(definition, range)}`;
}
