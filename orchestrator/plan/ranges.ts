import type { Key, KeyKind } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { workOf } from '../reconcile/work.ts';

/** A key of a sample, with the rows that it stands for: its own, or those up to the next key. */
export interface SampledKey {
  readonly key: Key;
  readonly rows: number;
  /** The bytes that are read for these rows. 0 where that is not known. */
  readonly bytes: number;
}

export interface SplitRange {
  readonly range: KeyRange;
  /** About how many rows it holds. All ranges together have the table's rows. */
  readonly rows: number;
  /** About how many bytes are read for them. All ranges together have the table's bytes. */
  readonly bytes: number;
}

/** The totals of a table, and the most ranges to split it into. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
  readonly ranges: number;
}

/**
 * Splits all keys into half-open ranges of similar work, at the quantiles of a sample's work. The first range has no
 * start and the last no end. So every possible key lies in exactly one range, even a key that appears after the sample
 * was taken. Each range has keys that the sample knows. There are fewer than `ranges` if the sample has too few keys,
 * or one key so heavy that it fills several quantiles. No range is more work than its share and the heaviest key's.
 */
export function splitRanges(kind: KeyKind, sample: readonly SampledKey[], size: TableSize): SplitRange[] {
  const totals = runningTotals(kind, sample);
  const whole = totals.at(-1) ?? NOTHING;
  const cuts = quantileCuts(totals, Math.max(1, Math.floor(size.ranges)));
  const before = (position: number, part: 'rows' | 'bytes'): number =>
    scaled(totalsBefore(totals, position)[part], whole[part], size[part]);
  return [...cuts, null].map((end, i) => {
    const start = cuts[i - 1] ?? null;
    const shareOf = (part: 'rows' | 'bytes'): number =>
      (end === null ? size[part] : before(end, part)) - before(start ?? 0, part);
    return {
      range: { start: keyAt(totals, start), end: keyAt(totals, end) },
      rows: shareOf('rows'),
      bytes: shareOf('bytes'),
    };
  });
}

/** The sum of a sample up to and including one of its keys. */
interface RunningTotal {
  readonly key: Key;
  readonly rows: number;
  readonly bytes: number;
}

const NOTHING = { rows: 0, bytes: 0 };

/** One sum for each different key, in key order. Equal keys are never separated. */
function runningTotals(kind: KeyKind, sample: readonly SampledKey[]): RunningTotal[] {
  const totals: RunningTotal[] = [];
  let { rows, bytes } = NOTHING;
  for (const sampled of sample.toSorted((a, b) => kind.compare(a.key, b.key))) {
    rows += sampled.rows;
    bytes += sampled.bytes;
    if (totals.at(-1)?.key === sampled.key) totals.pop();
    totals.push({ key: sampled.key, rows, bytes });
  }
  return totals;
}

/** The positions in the totals at which a new range begins: the keys whose start is nearest to each quantile. */
function quantileCuts(totals: readonly RunningTotal[], ranges: number): number[] {
  const whole = workOf(totals.at(-1) ?? NOTHING);
  const cuts: number[] = [];
  let position = 0;
  for (let i = 1; i < ranges; i++) {
    const quantile = (i * whole) / ranges;
    while (position + 1 < totals.length && workBefore(totals, position + 1) <= quantile) position++;
    const isNearer = quantile - workBefore(totals, position) < workBefore(totals, position + 1) - quantile;
    const nearest = isNearer ? position : position + 1;
    if (nearest > (cuts.at(-1) ?? 0) && nearest < totals.length) cuts.push(nearest);
  }
  return cuts;
}

function workBefore(totals: readonly RunningTotal[], position: number): number {
  return workOf(totalsBefore(totals, position));
}

function totalsBefore(totals: readonly RunningTotal[], position: number): { rows: number; bytes: number } {
  return totals[position - 1] ?? NOTHING;
}

function keyAt(totals: readonly RunningTotal[], position: number | null): Key | null {
  return position === null ? null : (totals[position]?.key ?? null);
}

/**
 * Scales a part of the sample to the table. It is rounded as a running total, so that the ranges add up to the table.
 * It divides first, so that nothing grows beyond what a number holds exactly.
 */
function scaled(part: number, sampled: number, table: number): number {
  return sampled === 0 ? 0 : Math.round(table * (part / sampled));
}
