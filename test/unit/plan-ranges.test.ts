import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedBytes, expectedSeconds, rangeCount } from '../../orchestrator/plan/estimate.ts';
import { type PlannedRange, splitRanges } from '../../orchestrator/plan/ranges.ts';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** Keys as tables have them: anywhere, at the very ends, or dense with gaps between. */
const key = fc.oneof(
  fc.bigInt({ min: MIN, max: MAX }),
  fc.constantFrom(MIN, MIN + 1n, -1n, 0n, 1n, MAX - 1n, MAX),
  fc.bigInt({ min: 0n, max: 50n }),
);
const sample = fc.array(key, { maxLength: 300 });
const size = fc.record({ rows: fc.nat({ max: 1_000_000_000 }), ranges: fc.integer({ min: 1, max: 400 }) });

function holds({ range }: PlannedRange, wanted: bigint): boolean {
  return (range.start === null || wanted >= range.start) && (range.end === null || wanted < range.end);
}

describe('splitRanges', () => {
  test('every bigint lies in exactly one range', () => {
    fc.assert(
      fc.property(sample, size, key, (keys, size, other) => {
        const ranges = splitRanges(keys, size);
        const edges = ranges.flatMap(({ range }) => [
          range.start ?? MIN,
          (range.start ?? MIN + 1n) - 1n,
          range.end ?? MAX,
        ]);
        for (const wanted of [...keys, ...edges, other, MIN, MAX]) {
          if (wanted < MIN) continue;
          expect(ranges.filter((range) => holds(range, wanted))).toHaveLength(1);
        }
      }),
    );
  });

  test('ranges follow each other, are open at both ends, and none is empty or inverted', () => {
    fc.assert(
      fc.property(sample, size, (keys, size) => {
        const ranges = splitRanges(keys, size);
        expect(ranges.length).toBeGreaterThanOrEqual(1);
        expect(ranges.length).toBeLessThanOrEqual(size.ranges);
        expect(ranges[0]?.range.start).toBeNull();
        expect(ranges.at(-1)?.range.end).toBeNull();
        for (const [i, { range }] of ranges.entries()) {
          expect(range.start).toBe(ranges[i - 1]?.range.end ?? null);
          expect(range.start ?? MIN).toBeLessThan(range.end ?? MAX + 1n);
          expect(keys.length === 0 || keys.some((wanted) => holds({ range, rows: 0 }, wanted))).toBe(true);
        }
      }),
    );
  });

  test('their rows add up to the table, none below zero', () => {
    fc.assert(
      fc.property(sample, size, (keys, size) => {
        const rows = splitRanges(keys, size).map((range) => range.rows);
        expect(rows.every((count) => count >= 0)).toBe(true);
        expect(rows.reduce((total, count) => total + count, 0)).toBe(size.rows);
      }),
    );
  });

  test('with different keys each has its share of the sample, give or take one', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        (keys, ranges) => {
          const planned = splitRanges(keys, { rows: keys.length, ranges });
          expect(planned).toHaveLength(Math.min(ranges, keys.length));
          const share = keys.length / planned.length;
          for (const range of planned) expect(Math.abs(range.rows - share)).toBeLessThan(1);
        },
      ),
    );
  });

  test('the order of the sample does not matter', () => {
    fc.assert(
      fc.property(sample, size, (keys, size) => {
        expect(splitRanges(keys.toReversed(), size)).toEqual(splitRanges(keys, size));
      }),
    );
  });

  test('no keys, one key, the same key many times: one range of everything', () => {
    for (const keys of [[], [7n], [MIN], [7n, 7n, 7n, 7n]]) {
      expect(splitRanges(keys, { rows: 4, ranges: 3 })).toEqual([
        { range: { start: null, end: null }, rows: 4 },
      ]);
    }
  });
});

describe('rangeCount', () => {
  test.each([
    [{ rows: 0, workers: 4, wanted: null }, 1],
    [{ rows: 999, workers: 4, wanted: null }, 1],
    [{ rows: 5000, workers: 4, wanted: null }, 5],
    [{ rows: 171_075, workers: 4, wanted: null }, 16],
    [{ rows: 100_000_000, workers: 4, wanted: null }, 400],
    [{ rows: 1_000_000_000, workers: 2000, wanted: null }, 8000],
    [{ rows: 1e15, workers: 4, wanted: null }, 100_000],
    [{ rows: 10, workers: 4, wanted: 7 }, 7],
    [{ rows: 10, workers: 4, wanted: 0 }, 1],
    [{ rows: 10, workers: 4, wanted: 1e9 }, 100_000],
  ])('%o: %i', (table, ranges) => {
    expect(rangeCount(table)).toBe(ranges);
  });
});

describe('estimates', () => {
  test('time follows from the last rate, in proportion to the workers', () => {
    expect(expectedSeconds({ rows: 1000, workers: 4 }, { rowsPerSecond: 50, workers: 2 })).toBe(10);
  });

  test.each([null, { rowsPerSecond: 0, workers: 2 }, { rowsPerSecond: 5, workers: 0 }])(
    'from %o none follows',
    (last) => {
      expect(expectedSeconds({ rows: 1000, workers: 4 }, last)).toBeNull();
    },
  );

  test('size', () => {
    expect(expectedBytes(3, 10.5)).toBe(32);
    expect(expectedBytes(3, null)).toBeNull();
  });
});
