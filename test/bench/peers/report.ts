import { medianOf, type Spread } from '../statistics.ts';
import type { Sink } from '../sinks/sink.ts';
import { type ArmRounds, bestOf, failureOf, METRICS, type Metric, ratioOf, takenOf } from './comparison.ts';
import { tableOf } from './table.ts';
import { targetLines } from './targets.ts';
import type { Outcome } from './turn.ts';

const NONE = '–';

/** One turn in one line, as it ends. */
export function turnLine(round: number, name: string, outcome: Outcome): string {
  const head = `round ${round}  ${name.padEnd(22)}`;
  if ('failed' in outcome) return `${head}  failed: ${outcome.failed}`;
  const { documents, seconds, cpuSeconds, peakBytes } = outcome;
  return [
    head,
    `${whole(documents / seconds)} documents/s`.padStart(20),
    `${perMillion(cpuSeconds, documents)} CPU s per million`.padStart(24),
    `${megabytes(peakBytes)} MB`.padStart(8),
  ].join('  ');
}

/** All that was measured on one sink, as text or Markdown. */
export function reportOf(
  sink: Pick<Sink, 'kind' | 'name'>,
  rounds: readonly ArmRounds[],
  markdown: boolean,
): string {
  const first = rounds.flatMap(takenOf)[0];
  const count = Math.max(...rounds.map(({ outcomes }) => outcomes.length));
  const title = `${sink.name}: ${whole(first?.documents ?? 0)} documents, medians of ${count} rounds`;
  const failures = rounds.flatMap((of) => {
    const failure = failureOf(of);
    if (failure === null) return [];
    return [`${of.arm.name} failed in ${failure.rounds} of ${count} rounds: ${failure.why}`];
  });
  return [
    markdown ? `### ${title}` : title,
    figures(rounds, markdown),
    ...ratioTables(rounds, markdown),
    [...failures, ...targetLines(sink.kind, rounds)]
      .map((line) => (markdown ? `- ${line}` : line))
      .join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function figures(rounds: readonly ArmRounds[], markdown: boolean): string {
  const heads = [
    'arm',
    'documents/s',
    'with start',
    'CPU s per million',
    'with start',
    'of PostgreSQL',
    'peak MB, median',
    'most',
  ];
  const rows = rounds.map((of) => {
    const taken = takenOf(of);
    if (taken.length === 0) return [of.arm.name, ...heads.slice(1).map(() => NONE)];
    const middle = (metric: Metric): number => medianOf(taken.map(METRICS[metric]));
    const peaks = taken.map(({ peakBytes }) => peakBytes);
    return [
      of.arm.name,
      whole(middle('rate')),
      whole(middle('wholeRate')),
      perMillion(1, middle('perCpu')),
      perMillion(1, middle('wholePerCpu')),
      perMillion(
        medianOf(taken.map(({ databaseCpuSeconds, documents }) => databaseCpuSeconds / documents)),
        1,
      ),
      megabytes(medianOf(peaks)),
      megabytes(Math.max(...peaks)),
    ];
  });
  return tableOf(heads, rows, markdown);
}

const FAMILIES = ['JavaScript', 'Python'] as const;
const RATIOS: readonly (readonly [Metric, string])[] = [
  ['rate', 'documents/s'],
  ['perCpu', 'documents per CPU second of the client'],
  ['perCpuWithDatabase', 'documents per CPU second of client and PostgreSQL'],
];

/** How many times the best JavaScript arm, and the best Python arm, an arm is, round by round. */
function ratioTables(rounds: readonly ArmRounds[], markdown: boolean): string[] {
  return RATIOS.flatMap(([metric, words]) => {
    const bests = FAMILIES.map((family) => bestOf(rounds, metric, (arm) => arm.family === family)).filter(
      (best) => best !== null,
    );
    if (bests.length === 0) return [];
    const heads = [words, ...bests.map(({ arm }) => `times ${arm.name}: median (quartiles; all)`)];
    const rows = rounds.map((of) => [of.arm.name, ...bests.map((best) => cellOf(ratioOf(of, best, metric)))]);
    return [tableOf(heads, rows, markdown)];
  });
}

function cellOf(spread: Spread | null): string {
  if (spread === null) return NONE;
  const range = (pair: readonly [number, number]): string =>
    pair.map((figure) => figure.toFixed(2)).join(' to ');
  return `${spread.median.toFixed(2)} (${range(spread.quartiles)}; ${range(spread.ends)})`;
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en');
}

function perMillion(seconds: number, documents: number): string {
  return ((seconds / documents) * 1e6).toFixed(1);
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
