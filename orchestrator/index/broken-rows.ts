import { mayComeFromRow } from '../../definition/database-words.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { IndexDefinition } from '../../definition/definition.ts';
import { baseFrom, qualifiedKey, rangeCondition, withoutJoins } from '../../definition/sql.ts';
import { querySource, type UseClient } from './source-query.ts';

/**
 * A row whose condition or join fails must not keep the others from being counted. The workers bury such a row, so it counts
 * as one that the definition keeps. It is found by halving the range in which it stands.
 */

export interface NarrowedQuery<Part> {
  readonly use: UseClient;
  readonly definition: IndexDefinition;
  /** Reads a range. It fails where one of its rows does. */
  readonly whole: (range: KeyRange) => Promise<Part>;
  /** What is said of the row of a key that fails alone. */
  readonly broken: (key: Key) => Part;
}

/**
 * Reads a range in as many parts as its failing rows require, in key order. Where more rows fail than may become dead
 * letters, it throws the database's error.
 */
export async function aroundBrokenRows<Part>(
  query: NarrowedQuery<Part>,
  range: KeyRange,
  broken = { left: query.definition.deadLetters.stopLimit },
): Promise<Part[]> {
  try {
    return [await query.whole(range)];
  } catch (error) {
    if (!mayComeFromRow(error)) throw error;
    const { middle, rows } = await middleOf(query, range);
    if (middle === null || broken.left === 0) throw error;
    if (rows === 1) {
      broken.left--;
      return [query.broken(middle)];
    }
    const lower = await aroundBrokenRows(query, { start: range.start, end: middle }, broken);
    return [...lower, ...(await aroundBrokenRows(query, { start: middle, end: range.end }, broken))];
  }
}

/** How many rows of the base table a range has, and the key that halves them (of one row: its key). */
async function middleOf(
  { use, definition }: Pick<NarrowedQuery<unknown>, 'use' | 'definition'>,
  range: KeyRange,
): Promise<{ middle: Key | null; rows: number }> {
  const base = withoutJoins(definition);
  const key = qualifiedKey(base);
  const from = `${baseFrom(base)}\nWHERE ${rangeCondition(base, range)}`;
  const text = `SELECT counted.rows::text AS rows, (SELECT ${key}::text ${from} ORDER BY ${key} OFFSET counted.rows / 2 LIMIT 1) AS middle FROM (SELECT count(*) AS rows ${from}) AS counted`;
  const [row] = await use((client) => querySource<{ rows: string; middle: string | null }>(client, text));
  const { rows = '0', middle = null } = row ?? {};
  return {
    rows: Number(rows),
    middle: middle === null ? null : keyFrom(keyKindOf(definition), middle),
  };
}

/** Null where an expression or a condition fails on a row. */
export async function unlessARowFails<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch((error: unknown) => {
    if (mayComeFromRow(error)) return null;
    throw error;
  });
}
