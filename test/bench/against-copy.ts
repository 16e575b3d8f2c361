import type { ClientConfig } from 'pg';
import { copyStatement } from '../../definition/sql.ts';
import type { Build, Taken } from './build.ts';
import { discardCopy } from './copy-rate.ts';

const TARGET_RATIO = 0.6;
const TARGET_PEAK_BYTES = 200e6;

interface Round extends Taken {
  readonly copyRate: number;
  readonly workerRate: number;
  readonly sinkSeconds: number;
}

/** Measures one build's worker against PostgreSQL's own COPY for the same query, in turns. The rows are thrown away. */
export async function measureAgainstCopy(
  build: Build,
  database: ClientConfig,
  rows: number,
  rounds: number,
): Promise<void> {
  const done: Round[] = [];
  console.log('round  COPY rows/s  worker rows/s  ratio  worker CPU s  sink CPU s  RSS MB  peak MB');
  for (let i = 1; i <= rounds; i++) {
    const round = await runRound(build, database, rows);
    done.push(round);
    console.log(rowOf(String(i), round));
  }
  const { documents } = await build.sinkUsage();
  if (documents !== rows * rounds)
    throw new Error(`The sink got ${documents} documents instead of ${rows * rounds}.`);
  const typical = medianOf(done);
  console.log(rowOf('median', typical));
  const ratio = typical.workerRate / typical.copyRate;
  console.log(
    `ratio ${ratio.toFixed(2)}: target ${TARGET_RATIO.toFixed(2)} ${ratio >= TARGET_RATIO ? 'met' : 'missed'}`,
  );
  const peakBytes = Math.max(...done.map((round) => round.peakBytes));
  console.log(
    `peak RSS ${megabytes(peakBytes)} MB after ${(rows * rounds).toLocaleString('en')} rows: target ${megabytes(TARGET_PEAK_BYTES)} MB ${peakBytes <= TARGET_PEAK_BYTES ? 'met' : 'missed'}`,
  );
}

async function runRound(build: Build, database: ClientConfig, rows: number): Promise<Round> {
  const copy = await discardCopy(database, copyStatement(build.described, { start: null, end: null }));
  const sinkBefore = await build.sinkUsage();
  const taken = await build.run(rows);
  const sinkAfter = await build.sinkUsage();
  return {
    ...taken,
    copyRate: rows / copy.seconds,
    workerRate: rows / taken.seconds,
    sinkSeconds: sinkAfter.cpuSeconds - sinkBefore.cpuSeconds,
  };
}

function medianOf(rounds: readonly Round[]): Round {
  const middle = (name: keyof Round): number =>
    rounds.map((round) => round[name]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? 0;
  return {
    copyRate: middle('copyRate'),
    workerRate: middle('workerRate'),
    seconds: middle('seconds'),
    cpuSeconds: middle('cpuSeconds'),
    sinkSeconds: middle('sinkSeconds'),
    rssBytes: middle('rssBytes'),
    peakBytes: middle('peakBytes'),
  };
}

function rowOf(name: string, round: Round): string {
  const { copyRate, workerRate, cpuSeconds, sinkSeconds, rssBytes, peakBytes } = round;
  const cells: [string, number][] = [
    [Math.round(copyRate).toLocaleString('en'), 11],
    [Math.round(workerRate).toLocaleString('en'), 13],
    [(workerRate / copyRate).toFixed(2), 5],
    [cpuSeconds.toFixed(2), 12],
    [sinkSeconds.toFixed(2), 10],
    [megabytes(rssBytes), 6],
    [megabytes(peakBytes), 7],
  ];
  return `${name.padEnd(6)} ${cells.map(([text, width]) => text.padStart(width)).join('  ')}`;
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
