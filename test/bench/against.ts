import type { Build, Taken } from './build.ts';
import { allRows } from './sample-table.ts';
import { spreadOf, spreadWords } from './statistics.ts';

/** What the build at hand must reach at least, and the memory that it may take at most, relative to the other. */
const LEAST_RATE_RATIO = 0.98;
const MOST_MEMORY_RATIO = 1.02;

/**
 * Rounds that one pair of workers serves. The first round warms them up and is reported apart. Peak memory varies by a
 * tenth from one process to the next, so several pairs are needed.
 */
const ROUNDS_PER_WORKER = 3;

export interface Comparison {
  /** These start a new worker of the build at hand and of the other. The caller ends what is left. */
  readonly here: () => Promise<Build>;
  readonly there: () => Promise<Build>;
  /** Of the whole table. */
  readonly rows: number;
  readonly rounds: number;
}

/**
 * Measures documents per second of processor time of two builds and the peak memory of their workers. They take turns in
 * changing order, so that the machine's pace is the same for both. The medians of the ratios count.
 */
export async function measureAgainst({ here, there, rows, rounds }: Comparison): Promise<void> {
  const rates: number[] = [];
  const coldRates: number[] = [];
  const peaks: number[] = [];
  console.log(
    `documents per CPU second  ${'here'.padStart(10)}  ${'there'.padStart(10)}  ratio  peak MB  ratio`,
  );
  while (rates.length < rounds) {
    const pair = { here: await here(), there: await there() };
    const take = async (name: string): Promise<{ rate: number; peak: number }> => {
      const { ours, theirs } = await takeTurns(pair, rows, (rates.length + coldRates.length) % 2 === 0);
      console.log(rowOf(name, rows, ours, theirs));
      return {
        rate: theirs.cpuSeconds / ours.cpuSeconds,
        peak: ours.peakBytes / theirs.peakBytes,
      };
    };
    coldRates.push((await take('new workers')).rate);
    let peak = 0;
    for (let left = Math.min(ROUNDS_PER_WORKER, rounds - rates.length); left > 0; left -= 1) {
      const taken = await take(`round ${rates.length + 1}`);
      rates.push(taken.rate);
      ({ peak } = taken);
    }
    peaks.push(peak);
    await Promise.all([pair.here.stop(), pair.there.stop()]);
  }
  const rate = spreadOf(rates);
  const peak = spreadOf(peaks);
  console.log(
    `first tasks of new workers, median of ${coldRates.length} ratios ${spreadWords(spreadOf(coldRates))}`,
  );
  const met = (isMet: boolean): string => (isMet ? 'met' : 'missed');
  console.log(
    `documents per CPU second, median of ${rates.length} ratios ${spreadWords(rate)}: target at least ${LEAST_RATE_RATIO.toFixed(2)} ${met(rate.median >= LEAST_RATE_RATIO)}`,
  );
  console.log(
    `peak memory, median of ${peaks.length} ratios ${spreadWords(peak)}: target at most ${MOST_MEMORY_RATIO.toFixed(2)} ${met(peak.median <= MOST_MEMORY_RATIO)}`,
  );
}

function rowOf(name: string, rows: number, ours: Taken, theirs: Taken): string {
  const rates = [ours, theirs].map(({ cpuSeconds }) => rows / cpuSeconds);
  const cells = rates.map((rate) => Math.round(rate).toLocaleString('en').padStart(10));
  const ratio = theirs.cpuSeconds / ours.cpuSeconds;
  const peaks = [ours, theirs].map(({ peakBytes }) => (peakBytes / 1e6).toFixed(1)).join(' / ');
  return `${name.padEnd(24)}  ${cells.join('  ')}  ${ratio.toFixed(3)}   ${peaks}`;
}

async function takeTurns(
  { here, there }: { readonly here: Build; readonly there: Build },
  rows: number,
  isOursFirst: boolean,
): Promise<{ readonly ours: Taken; readonly theirs: Taken }> {
  if (isOursFirst) return { ours: await here.run(allRows(rows)), theirs: await there.run(allRows(rows)) };
  const theirs = await there.run(allRows(rows));
  return { ours: await here.run(allRows(rows)), theirs };
}
