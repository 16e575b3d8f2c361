import type { KeyRange } from '../../definition/definition.ts';

export interface PlannedRange {
  readonly range: KeyRange;
  /** About how many rows it holds. */
  readonly rows: number;
}

/**
 * Splits all keys into half-open ranges of like row counts, at the quantiles of a sample. The first range has no start
 * and the last no end, so that every key that bigint can hold lies in exactly one, also those that appear after the
 * sample was taken. No range is empty of keys that the sample knows; there are fewer than `ranges` where it has too few.
 */
export function splitRanges(
  sample: readonly bigint[],
  size: { rows: number; ranges: number },
): PlannedRange[] {
  const keys = [...sample].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const cuts = quantileCuts(keys, Math.max(1, Math.floor(size.ranges)));
  const ends: (number | null)[] = [...cuts, null];
  return ends.map((end, i) => {
    const start = cuts[i - 1] ?? null;
    return {
      range: { start: keyAt(keys, start), end: keyAt(keys, end) },
      rows: rowsBefore(end, keys.length, size.rows) - rowsBefore(start ?? 0, keys.length, size.rows),
    };
  });
}

/** Positions in the sorted sample at which a new range begins: each of a key that is greater than the one before it. */
function quantileCuts(keys: readonly bigint[], ranges: number): number[] {
  const cuts: number[] = [];
  for (let i = 1; i < ranges; i++) {
    const position = firstOfItsKey(keys, Math.floor((i * keys.length) / ranges));
    if (position > (cuts.at(-1) ?? 0)) cuts.push(position);
  }
  return cuts;
}

/** Equal keys in a sample stay together in one range. */
function firstOfItsKey(keys: readonly bigint[], position: number): number {
  let first = position;
  while (first > 0 && keys[first - 1] === keys[position]) first--;
  return first;
}

function keyAt(keys: readonly bigint[], position: number | null): bigint | null {
  return position === null ? null : (keys[position] ?? null);
}

/** Rounded as a running total, so that the ranges' rows add up to the table's. */
function rowsBefore(position: number | null, sampled: number, rows: number): number {
  return position === null || sampled === 0
    ? position === null
      ? rows
      : 0
    : Math.round((rows * position) / sampled);
}
