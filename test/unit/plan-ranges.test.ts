import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Key } from '../../definition/key/key-kind.ts';
import { INTEGER_KEY } from '../../definition/key/integer-key.ts';
import { expectedBytes, expectedSeconds, rangeCount } from '../../orchestrator/plan/estimate.ts';
import { workOf } from '../../orchestrator/reconcile/work.ts';
import { type SplitRange, type SampledKey, splitRanges } from '../../orchestrator/plan/ranges.ts';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** Keys as tables have them: anywhere, at the very ends, dense, or dense with 99 % gaps between. */
const key = fc.oneof(
  fc.bigInt({ min: MIN, max: MAX }),
  fc.constantFrom(MIN, MIN + 1n, -1n, 0n, 1n, MAX - 1n, MAX),
  fc.bigInt({ min: 0n, max: 50n }),
  fc.bigInt({ min: -5n, max: 5n }).map((cluster) => cluster * 10n ** 18n + (cluster % 3n)),
);
/** Sizes as rows have them: unknown, like, or a few of them a million times the others. */
const bytes = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 50, max: 500 }),
  fc.constantFrom(100, 1_000_000, 1_000_000_000),
);
/** A key stands for its own row, or for a stretch of them. */
const rows = fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 1000 }));
const row = fc.record({ key, rows, bytes });
const sample = fc.array(row, { maxLength: 300 });
const differentKeys = fc.uniqueArray(row, { minLength: 1, maxLength: 300, selector: ({ key }) => key });
const count = fc.integer({ min: 1, max: 400 });
const size = fc.record({
  rows: fc.nat({ max: 1_000_000_000 }),
  bytes: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  ranges: count,
});

function holds(planned: Pick<SplitRange, 'range'>, key: Key): boolean {
  const range = integers(planned);
  const wanted = BigInt(key);
  return (range.start === null || wanted >= range.start) && (range.end === null || wanted < range.end);
}

/** The ends of a range of integer keys. */
function integers({ range }: Pick<SplitRange, 'range'>) {
  return range as { readonly start: bigint | null; readonly end: bigint | null };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A sample that is the whole table. */
function sizeOf(rows: readonly SampledKey[], ranges: number) {
  return { rows: sum(rows.map((row) => row.rows)), bytes: sum(rows.map((row) => row.bytes)), ranges };
}

function weightOfRows(rows: readonly SampledKey[]): number {
  return workOf(sizeOf(rows, 1));
}

/** What the sample's heaviest key weighs, with all rows of that key. */
function heaviestKey(rows: readonly SampledKey[]): number {
  return Math.max(...[...Map.groupBy(rows, (row) => row.key).values()].map(weightOfRows));
}

describe('the split of a table into ranges', () => {
  test('puts every bigint into exactly one range', () => {
    fc.assert(
      fc.property(sample, size, key, (rows, size, other) => {
        const ranges = splitRanges(INTEGER_KEY, rows, size);
        const edges = ranges
          .map(integers)
          .flatMap((range) => [range.start ?? MIN, (range.start ?? MIN + 1n) - 1n, range.end ?? MAX]);
        for (const wanted of [...rows.map((row) => row.key), ...edges, other, MIN, MAX]) {
          if (wanted < MIN) continue;
          expect(ranges.filter((range) => holds(range, wanted))).toHaveLength(1);
        }
      }),
    );
  });

  test('makes consecutive ranges with open outer ends, none of them empty or inverted', () => {
    fc.assert(
      fc.property(sample, size, (rows, size) => {
        const ranges = splitRanges(INTEGER_KEY, rows, size);
        expect(ranges.length).toBeGreaterThanOrEqual(1);
        expect(ranges.length).toBeLessThanOrEqual(size.ranges);
        expect(ranges[0]?.range.start).toBeNull();
        expect(ranges.at(-1)?.range.end).toBeNull();
        for (const [i, { range }] of ranges.entries()) {
          expect(range.start).toBe(ranges[i - 1]?.range.end ?? null);
          const { start, end } = integers({ range });
          expect(start ?? MIN).toBeLessThan(end ?? MAX + 1n);
          expect(rows.length === 0 || rows.some(({ key }) => holds({ range }, key))).toBe(true);
        }
      }),
    );
  });

  test('gives ranges rows and bytes that add up to the table, and none below zero', () => {
    fc.assert(
      fc.property(sample, size, (rows, size) => {
        const ranges = splitRanges(INTEGER_KEY, rows, size);
        for (const part of ['rows', 'bytes'] as const) {
          const parts = ranges.map((range) => range[part]);
          expect(parts.every((share) => share >= 0)).toBe(true);
          expect(sum(parts)).toBe(size[part]);
        }
      }),
    );
  });

  test('gives each range its exact rows and bytes when the sample is the whole table', () => {
    fc.assert(
      fc.property(sample, count, (rows, ranges) => {
        for (const planned of splitRanges(INTEGER_KEY, rows, sizeOf(rows, ranges))) {
          const held = rows.filter(({ key }) => holds(planned, key));
          expect(planned).toMatchObject({
            rows: sum(held.map((row) => row.rows)),
            bytes: sum(held.map((row) => row.bytes)),
          });
        }
      }),
    );
  });

  /**
   * A range ends at the start of the key that is nearest to a quantile of the weight, and quantiles lie `share` apart.
   * The nearest start is never further from its quantile than half of the weight of the key that the quantile falls
   * into. So a range from one quantile to the next weighs its share and at most two halves of the heaviest key more; where
   * a quantile makes no cut, for its nearest start is that of the one before, the range before it still begins within
   * half a key of the quantile that is last to have that start. No bound can do without the heaviest key, for keys are
   * not divided.
   */
  test('gives no range more than its share plus the heaviest key', () => {
    fc.assert(
      fc.property(sample, count, (rows, ranges) => {
        const most = weightOfRows(rows) / ranges + (rows.length === 0 ? 0 : heaviestKey(rows));
        for (const { rows: held, bytes } of splitRanges(INTEGER_KEY, rows, sizeOf(rows, ranges))) {
          // Quantiles are floating point numbers.
          expect(workOf({ rows: held, bytes })).toBeLessThanOrEqual(most * (1 + 1e-9));
        }
      }),
    );
  });

  test('gives each range an equal share of different keys of equal size, give or take one', () => {
    fc.assert(
      fc.property(differentKeys, fc.integer({ min: 1, max: 50 }), (rows, ranges) => {
        const like = rows.map((row) => ({ ...row, rows: 1, bytes: 100 }));
        const planned = splitRanges(INTEGER_KEY, like, sizeOf(like, ranges));
        expect(planned).toHaveLength(Math.min(ranges, rows.length));
        const share = rows.length / planned.length;
        for (const range of planned) expect(Math.abs(range.rows - share)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('does not depend on the order of the sample', () => {
    fc.assert(
      fc.property(sample, size, (rows, size) => {
        expect(splitRanges(INTEGER_KEY, rows.toReversed(), size)).toEqual(
          splitRanges(INTEGER_KEY, rows, size),
        );
      }),
    );
  });

  test('makes one range of everything when there are no keys, one key or one repeated key', () => {
    for (const keys of [[], [7n], [MIN], [7n, 7n, 7n, 7n]]) {
      const rows = keys.map((key) => ({ key, rows: 1, bytes: 5 }));
      expect(splitRanges(INTEGER_KEY, rows, { rows: 4, bytes: 20, ranges: 3 })).toEqual([
        { range: { start: null, end: null }, rows: 4, bytes: 20 },
      ]);
    }
  });

  test('gives a huge row its own range, and divides its neighbours as before', () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      key: BigInt(i),
      rows: 1,
      bytes: i === 100 ? 1_000_000 : 100,
    }));
    const ranges = splitRanges(INTEGER_KEY, rows, sizeOf(rows, 4));
    expect(ranges.map((range) => range.rows)).toEqual([100, 1, 99]);
    expect(ranges[1]?.range).toEqual({ start: 100n, end: 101n });
  });

  test('gives most of the ranges to a few rows of a megabyte among rows of 100 bytes', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      key: BigInt(i),
      rows: 1,
      bytes: i < 9_990 ? 100 : 1_000_000,
    }));
    const ranges = splitRanges(INTEGER_KEY, rows, sizeOf(rows, 10));
    expect(ranges).toHaveLength(10);
    expect(Math.max(...ranges.map(({ bytes }) => bytes))).toBeLessThan(2_500_000);
  });
});

const MB = 1024 * 1024;

describe('the number of ranges', () => {
  test.each([
    [{ rows: 0, bytes: 0, workers: 4, wanted: null }, 1],
    [{ rows: 999, bytes: null, workers: 4, wanted: null }, 1],
    [{ rows: 5000, bytes: 5000, workers: 4, wanted: null }, 5],
    [{ rows: 171_075, bytes: null, workers: 4, wanted: null }, 16],
    [{ rows: 100_000_000, bytes: 100_000_000, workers: 4, wanted: null }, 400],
    [{ rows: 1_000_000_000, bytes: null, workers: 2000, wanted: null }, 8000],
    [{ rows: 1e15, bytes: 1e18, workers: 4, wanted: null }, 100_000],
    [{ rows: 10, bytes: 1e12, workers: 4, wanted: 7 }, 7],
    [{ rows: 10, bytes: null, workers: 4, wanted: 0 }, 1],
    [{ rows: 10, bytes: null, workers: 4, wanted: 1e9 }, 100_000],
    // Few rows, but long ones.
    [{ rows: 500, bytes: 500 * MB, workers: 4, wanted: null }, 16],
    [{ rows: 500, bytes: 3 * MB, workers: 4, wanted: null }, 3],
    [{ rows: 1_000_000, bytes: 100_000 * MB, workers: 4, wanted: null }, 391],
  ])('for %j is %i', (table, ranges) => {
    expect(rangeCount(table)).toBe(ranges);
  });
});

describe('the estimate before a run', () => {
  test('takes its time from the last rate, in proportion to the workers', () => {
    expect(
      expectedSeconds(
        { rows: 1000, workers: 4 },
        { rows: 500, rowsPerSecond: 50, workers: 2, bootSeconds: 0 },
      ),
    ).toBe(10);
  });

  test('counts the same boot time for a table of any size', () => {
    // 100 s, of which 60 for booting: 10 rows a second and worker.
    const last = { rows: 800, rowsPerSecond: 8, workers: 2, bootSeconds: 60 };
    expect(expectedSeconds({ rows: 800, workers: 2 }, last)).toBe(100);
    expect(expectedSeconds({ rows: 16_000, workers: 4 }, last)).toBe(60 + 400);
    // A last process that read for less than that says nothing of it.
    expect(expectedSeconds({ rows: 800, workers: 2 }, { ...last, bootSeconds: 200 })).toBe(100);
  });

  test.each([
    null,
    { rows: 5, rowsPerSecond: 0, workers: 2, bootSeconds: 0 },
    { rows: 5, rowsPerSecond: 5, workers: 0, bootSeconds: 0 },
    { rows: 0, rowsPerSecond: 5, workers: 1, bootSeconds: 0 },
  ])('is unknown after the last run %j', (last) => {
    expect(expectedSeconds({ rows: 1000, workers: 4 }, last)).toBeNull();
  });

  test('takes its size from rows and average width, and is unknown without a width', () => {
    expect(expectedBytes(3, 10.5)).toBe(32);
    expect(expectedBytes(3, null)).toBeNull();
  });
});
