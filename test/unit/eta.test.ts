import { describe, expect, it } from 'vitest';
import { beginEta, type Estimate, nextEta } from '../../orchestrator/report/eta.ts';

describe('the estimate of the end', () => {
  it('is right for an even rate', () => {
    const shown = estimates((second) => second * 100, 1000, 5);
    expect(shown.at(-1)?.rowsPerSecond).toBeCloseTo(100);
    expect(shown.at(-1)?.secondsLeft).toBeCloseTo(5);
  });

  it('is unknown in the first moments and without any rows', () => {
    expect(estimates((second) => second * 100, 1000, 1).at(-1)?.secondsLeft).toBeNull();
    expect(estimates(() => 0, 1000, 60).at(-1)?.secondsLeft).toBeNull();
  });

  it('does not jump when rows come in bursts', () => {
    const shown = estimates((second) => Math.floor(second / 4) * 4000, 100_000, 90).filter(hasEnd);
    const ends = shown.slice(10).map((estimate, i) => i + estimate.secondsLeft);
    const jumps = ends.slice(1).map((end, i) => Math.abs(end - (ends[i] ?? end)));
    // Of some 90 s left, less than a twentieth from one second to the next, though the computed end swings by a third.
    expect(Math.max(...jumps)).toBeLessThan(4);
  });

  it('follows a rate that drops to half', () => {
    const shown = estimates(
      (second) => (second < 60 ? second * 100 : 6000 + (second - 60) * 50),
      20_000,
      200,
    );
    const rowsLeft = 20_000 - (6000 + 140 * 50);
    expect(shown.at(-1)?.secondsLeft).toBeGreaterThan(rowsLeft / 100);
    expect(shown.at(-1)?.secondsLeft).toBeLessThan((rowsLeft / 50) * 1.2);
  });

  it('does not count the time in which workers boot', () => {
    let state = beginEta(0, 0);
    for (let second = 1; second <= 30; second += 1)
      state = nextEta(state, second * 1000, { rows: 0, rowsExpected: 1000, waiting: false }).state;
    const rates: (number | null)[] = [];
    for (let second = 31; second <= 34; second += 1) {
      const next = nextEta(state, second * 1000, {
        rows: (second - 30) * 100,
        rowsExpected: 1000,
        waiting: false,
      });
      state = next.state;
      rates.push(next.estimate.rowsPerSecond);
    }
    // The first settled rows start the clock.
    expect(rates.map((rate) => rate && Math.round(rate))).toEqual([null, 100, 100, 100]);
  });

  it('is unknown while tasks wait for the database or the cluster', () => {
    let state = beginEta(0, 0);
    for (let second = 1; second <= 10; second += 1)
      state = nextEta(state, second * 1000, { rows: second * 100, rowsExpected: 5000, waiting: false }).state;
    const { estimate } = nextEta(state, 11_000, { rows: 1000, rowsExpected: 5000, waiting: true });
    expect(estimate.secondsLeft).toBeNull();
  });

  it('never shows a negative time', () => {
    expect(estimates((second) => second * 100, 500, 30).at(-1)?.secondsLeft).toBe(0);
  });
});

function estimates(rowsAt: (second: number) => number, expected: number, seconds: number): Estimate[] {
  let state = beginEta(0, 0);
  return Array.from({ length: seconds }, (_, i) => {
    const next = nextEta(state, (i + 1) * 1000, {
      rows: rowsAt(i + 1),
      rowsExpected: expected,
      waiting: false,
    });
    state = next.state;
    return next.estimate;
  });
}

function hasEnd(estimate: Estimate): estimate is Estimate & { secondsLeft: number } {
  return estimate.secondsLeft !== null;
}
