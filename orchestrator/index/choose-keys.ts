import type { ClientBase } from 'pg';
import { mayComeFromRow } from '../../definition/database-words.ts';
import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import {
  baseFrom,
  qualifiedKey,
  rangeCondition,
  whereCondition,
  withoutJoins,
} from '../../definition/sql.ts';
import { querySource } from './source-query.ts';

/** How many ranges are sampled, and how many rows are taken from each. */
const SAMPLED_RANGES = 20;
const ROWS_PER_RANGE = 10;

/** Chooses a few consecutive rows from random places of random ranges. */
export async function chooseKeys(
  client: ClientBase,
  definition: IndexDefinition,
  ranges: readonly KeyRange[],
): Promise<Key[]> {
  const chosen =
    ranges.length <= SAMPLED_RANGES
      ? ranges
      : Array.from({ length: SAMPLED_RANGES }, () => ranges[Math.floor(Math.random() * ranges.length)]);
  const bounds = await boundsOf(client, definition);
  const keys = new Set<Key>();
  for (const range of chosen) {
    if (range === undefined || bounds === null) continue;
    for (const key of await keysAround(client, definition, range, somewhereIn(definition, range, bounds)))
      keys.add(key);
  }
  return [...keys];
}

/** The rows from a place on. If the range has too few behind it (a gap), the rows before it too. */
async function keysAround(
  client: ClientBase,
  definition: IndexDefinition,
  range: KeyRange,
  place: Key,
): Promise<Key[]> {
  const kind = keyKindOf(definition);
  const key = qualifiedKey(definition);
  const keysOf = async (part: KeyRange, direction: 'ASC' | 'DESC', limit: number): Promise<Key[]> => {
    const condition = `${rangeCondition(definition, part)} AND ${whereCondition(definition)}`;
    const text = `SELECT ${key}::text AS key\n${baseFrom(definition)}\nWHERE ${condition}\nORDER BY ${key} ${direction} LIMIT ${limit}`;
    const rows = await querySource<{ key: string }>(client, text).catch(noneWhereRowsFail);
    return rows.map((row) => keyFrom(kind, row.key));
  };
  const behind = await keysOf({ start: place, end: range.end }, 'ASC', ROWS_PER_RANGE);
  const lacking = ROWS_PER_RANGE - behind.length;
  return lacking === 0
    ? behind
    : [...behind, ...(await keysOf({ start: range.start, end: place }, 'DESC', lacking))];
}

/** Rows whose condition fails are no samples. */
function noneWhereRowsFail(error: unknown): never[] {
  if (mayComeFromRow(error)) return [];
  throw error;
}

/** The least and the greatest key of the table. Null when the table is empty. */
async function boundsOf(
  client: ClientBase,
  definition: IndexDefinition,
): Promise<{ least: Key; greatest: Key } | null> {
  const kind = keyKindOf(definition);
  const key = qualifiedKey(definition);
  const [row] = await querySource<{ least: string | null; greatest: string | null }>(
    client,
    `SELECT min(${key})::text AS least, max(${key})::text AS greatest ${baseFrom(withoutJoins(definition))}`,
  );
  const { least = null, greatest = null } = row ?? {};
  return least === null || greatest === null
    ? null
    : { least: keyFrom(kind, least), greatest: keyFrom(kind, greatest) };
}

/** A random key of the range. Where the range is open, the table's own end counts. */
function somewhereIn(
  definition: IndexDefinition,
  { start, end }: KeyRange,
  { least, greatest }: { least: Key; greatest: Key },
): Key {
  const from = start ?? least;
  return keyKindOf(definition).between(from, end ?? greatest, Math.random()) ?? from;
}
