import type { ClientBase } from 'pg';
import type { IndexDefinition, KeyRange } from '../../definition/definition.ts';
import {
  baseFrom,
  qualifiedKey,
  rangeCondition,
  whereCondition,
  withoutJoins,
} from '../../definition/sql.ts';
import { querySource } from './source-query.ts';

/** Ranges that are looked into, and rows taken from each. */
const SAMPLED_RANGES = 20;
const ROWS_PER_RANGE = 10;

/** A few consecutive rows from random places of random ranges. */
export async function chooseKeys(
  client: ClientBase,
  definition: IndexDefinition,
  ranges: readonly KeyRange[],
): Promise<bigint[]> {
  const chosen =
    ranges.length <= SAMPLED_RANGES
      ? ranges
      : Array.from({ length: SAMPLED_RANGES }, () => ranges[Math.floor(Math.random() * ranges.length)]);
  const bounds = await boundsOf(client, definition);
  const keys = new Set<bigint>();
  for (const range of chosen) {
    if (range === undefined || bounds === null) continue;
    for (const key of await keysAround(client, definition, range, somewhereIn(range, bounds))) keys.add(key);
  }
  return [...keys];
}

/** The rows from a place on; where the range has too few behind it (a gap), those before it too. */
async function keysAround(
  client: ClientBase,
  definition: IndexDefinition,
  range: KeyRange,
  place: bigint,
): Promise<bigint[]> {
  const key = qualifiedKey(definition);
  const keysOf = async (part: KeyRange, direction: 'ASC' | 'DESC', limit: number): Promise<bigint[]> => {
    const condition = `${rangeCondition(definition, part)} AND ${whereCondition(definition)}`;
    const text = `SELECT ${key}::text AS key\n${baseFrom(definition)}\nWHERE ${condition}\nORDER BY ${key} ${direction} LIMIT ${limit}`;
    return (await querySource<{ key: string }>(client, text)).map((row) => BigInt(row.key));
  };
  const behind = await keysOf({ start: place, end: range.end }, 'ASC', ROWS_PER_RANGE);
  const lacking = ROWS_PER_RANGE - behind.length;
  return lacking === 0
    ? behind
    : [...behind, ...(await keysOf({ start: range.start, end: place }, 'DESC', lacking))];
}

/** Least and greatest key of the table; null when it is empty. */
async function boundsOf(
  client: ClientBase,
  definition: IndexDefinition,
): Promise<{ least: bigint; greatest: bigint } | null> {
  const key = qualifiedKey(definition);
  const [row] = await querySource<{ least: string | null; greatest: string | null }>(
    client,
    `SELECT min(${key})::text AS least, max(${key})::text AS greatest ${baseFrom(withoutJoins(definition))}`,
  );
  const { least = null, greatest = null } = row ?? {};
  return least === null || greatest === null ? null : { least: BigInt(least), greatest: BigInt(greatest) };
}

/** A key of the range; its open ends are the table's. */
function somewhereIn(
  { start, end }: KeyRange,
  { least, greatest }: { least: bigint; greatest: bigint },
): bigint {
  const from = start ?? least;
  const to = end ?? greatest;
  return to <= from ? from : from + BigInt(Math.floor(Math.random() * Number(to - from)));
}
