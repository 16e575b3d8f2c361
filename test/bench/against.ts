import type { Build, Taken } from './build.ts';

/** What the build at hand must reach of the other, at least, and may take of memory, at most. */
const LEAST_RATE_RATIO = 0.98;
const MOST_MEMORY_RATIO = 1.02;

/**
 * Documents per second of processor time of two builds, in turns and in changing order, so that the machine's pace is
 * the same for both. What counts is the median of each round's ratio.
 */
export async function measureAgainst(here: Build, there: Build, rows: number, rounds: number): Promise<void> {
  const ratios: number[] = [];
  const rate = ({ cpuSeconds }: Taken): number => rows / cpuSeconds;
  let peaks = { here: 0, there: 0 };
  console.log(`documents per CPU second  ${here.name.padStart(10)}  ${there.name.padStart(10)}  ratio`);
  for (let i = 1; i <= rounds; i++) {
    const order = i % 2 === 1 ? [here, there] : [there, here];
    const taken = new Map<Build, Taken>();
    for (const build of order) taken.set(build, await build.run(rows));
    const [ours, theirs] = [taken.get(here), taken.get(there)];
    if (ours === undefined || theirs === undefined) throw new Error('a round without one of the builds');
    ratios.push(rate(ours) / rate(theirs));
    peaks = { here: ours.peakBytes, there: theirs.peakBytes };
    const cells = [rate(ours), rate(theirs)].map((figure) =>
      Math.round(figure).toLocaleString('en').padStart(10),
    );
    console.log(`round ${String(i).padEnd(18)}  ${cells.join('  ')}  ${(ratios.at(-1) ?? 0).toFixed(3)}`);
  }
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(0.5) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  const spread = `quartiles ${at(0.25).toFixed(3)} to ${at(0.75).toFixed(3)}, all ${at(0).toFixed(3)} to ${at(1).toFixed(3)}`;
  console.log(
    `median of ${rounds} ratios ${median.toFixed(3)} (${spread}): target ${LEAST_RATE_RATIO.toFixed(2)} ${median >= LEAST_RATE_RATIO ? 'met' : 'missed'}`,
  );
  const memory = peaks.here / peaks.there;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  console.log(
    `peak RSS ${megabytes(peaks.here)} MB to ${megabytes(peaks.there)} MB, ratio ${memory.toFixed(3)}: target ${MOST_MEMORY_RATIO.toFixed(2)} ${memory <= MOST_MEMORY_RATIO ? 'met' : 'missed'}`,
  );
}
