import { spreadWords } from '../statistics.ts';
import type { SinkKind } from '../sinks/sink.ts';
import { type ArmRounds, bestOf, type Metric, ratioOf, takenOf } from './comparison.ts';

/** What this project must reach of the best peer's figure, at least, on each kind of sink. */
interface RatioTarget {
  readonly metric: Metric;
  readonly words: string;
  readonly least: number;
  readonly peers: readonly ArmRounds['arm']['family'][];
}

const RATIO_TARGETS: Readonly<Record<SinkKind, readonly RatioTarget[]>> = {
  null: [
    { metric: 'rate', words: 'documents/s', least: 2.5, peers: ['JavaScript'] },
    { metric: 'perCpu', words: 'documents per CPU second', least: 2.5, peers: ['JavaScript'] },
  ],
  opensearch: [
    { metric: 'rate', words: 'documents/s', least: 0.98, peers: ['JavaScript', 'Python'] },
    // The whole process with its start, the stricter reading.
    {
      metric: 'wholePerCpu',
      words: 'documents per CPU second, start included',
      least: 1,
      peers: ['JavaScript', 'Python'],
    },
  ],
};

const MOST_PEAK_BYTES: Readonly<Record<SinkKind, number | null>> = { null: 120e6, opensearch: null };

/** A line for each target: what is reached, and whether that is enough. Empty without this project's own arm. */
export function targetLines(sink: SinkKind, rounds: readonly ArmRounds[]): string[] {
  const ours = rounds.find(({ arm }) => arm.family === 'ours');
  if (ours === undefined || takenOf(ours).length === 0) return [];
  const ratios = RATIO_TARGETS[sink].flatMap(({ metric, words, least, peers }) => {
    const best = bestOf(rounds, metric, ({ family }) => peers.includes(family));
    const spread = best === null ? null : ratioOf(ours, best, metric);
    if (best === null || spread === null) return [];
    return [
      `${words}, times ${best.arm.name}: ${spreadWords(spread, 2)}: target at least ${least.toFixed(2)} ${met(spread.median >= least)}`,
    ];
  });
  const mostBytes = MOST_PEAK_BYTES[sink];
  if (mostBytes === null) return ratios;
  const peakBytes = Math.max(...takenOf(ours).map((taken) => taken.peakBytes));
  return [
    ...ratios,
    `peak memory: ${(peakBytes / 1e6).toFixed(0)} MB at most: target ${(mostBytes / 1e6).toFixed(0)} MB ${met(peakBytes <= mostBytes)}`,
  ];
}

function met(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}
