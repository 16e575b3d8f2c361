import type { Key, KeyKind } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { workOf } from '../reconcile/work.ts';

/** A key of a sample, and what it stands for: its own row, or those up to the next key. */
export interface SampledKey {
  readonly key: Key;
  readonly rows: number;
  /** Bytes that are read for these rows; 0 where that is not known. */
  readonly bytes: number;
}

export interface SplitRange {
  readonly range: KeyRange;
  /** About how many rows it holds; those of all ranges add up to the table's. */
  readonly rows: number;
  /** About how many bytes are read for them; those of all ranges add up to the table's. */
  readonly bytes: number;
}

/** What a range is wanted for: the table's totals, and into how many ranges at most. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
  readonly ranges: number;
}

/**
 * Splits all keys into half-open ranges of like work, at the quantiles of a sample's work. The first range has no start
 * and the last no end, so that every key that there can be lies in exactly one, also those that appear after the
 * sample was taken. No range is empty of keys that the sample knows; there are fewer than `ranges` where it has too few
 * keys, or one key so heavy that it fills several quantiles. No range is more work than its share and the heaviest key's.
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

/** The sample up to and with one of its keys. */
interface RunningTotal {
  readonly key: Key;
  readonly rows: number;
  readonly bytes: number;
}

const NOTHING = { rows: 0, bytes: 0 };

/** One for each key that differs, in key order: equal keys are never parted. */
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

/** Positions in the totals at which a new range begins: of the keys whose start is nearest to each quantile. */
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
 * A part of the sample as a part of the table. Rounded as a running total, so that the ranges add up to the table;
 * divided first, so that nothing grows beyond what a number holds exactly.
 */
function scaled(part: number, sampled: number, table: number): number {
  return sampled === 0 ? 0 : Math.round(table * (part / sampled));
}
