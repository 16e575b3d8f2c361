import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { totalOf } from '../reconcile/counts.ts';
import type { Progress } from './progress.ts';
import { countWords, durationWords, moneyWords, plural } from './words.ts';

const LABEL_WIDTH = 14;
const SEPARATOR_WIDTH = 3;

export function phaseLine(mark: string, name: string, seconds: number, note: string): string {
  return `  ${mark} ${name.padEnd(LABEL_WIDTH)} ${pc.dim(durationWords(seconds).padStart(8))}  ${note}`;
}

/** The live lines of a pass that fit into `columns`. Pure. */
export function progressLines(progress: Progress, columns: number): string[] {
  const { counts, rowsExpected, workers, ranges, estimate, waitingFor, cost } = progress;
  const share = rowsExpected === 0 ? 0 : Math.min(1, counts.rowsRead / rowsExpected);
  const width = Math.max(10, Math.min(40, columns - 60));
  const rate = estimate.rowsPerSecond === null ? '–' : countWords(estimate.rowsPerSecond);
  const eta = estimate.secondsLeft === null ? '–' : durationWords(estimate.secondsLeft);
  const figures = [
    `${rate} documents/s`,
    `ETA ${eta}`,
    workerWords(workers),
    plural(counts.retries, 'retry', 'retries'),
    deadLetterWords(totalOf(counts, 'deadLetters')),
    ...(cost === null ? [] : [moneyWords(cost)]),
  ];
  const indent = ' '.repeat(4);
  const waiting =
    waitingFor.length === 0 ? [] : [indent + pc.yellow(`waiting for the ${waitingFor.join(' and the ')}`)];
  return [
    `${indent}${bar(share, width)} ${(share * 100).toFixed(0).padStart(3)} %  ${countWords(counts.rowsRead)} of ${countWords(rowsExpected)} rows  ${pc.dim(`${ranges.done}/${ranges.total} ranges`)}`,
    ...wrapped(figures, columns - indent.length).map((line) => indent + line.join(pc.dim(' · '))),
    ...waiting,
  ];
}

/** Wraps figures into lines, each figure whole. */
function wrapped(figures: readonly string[], columns: number): string[][] {
  const lines: string[][] = [[]];
  let width = 0;
  for (const figure of figures) {
    const wanted = stripVTControlCharacters(figure).length + SEPARATOR_WIDTH;
    if (width > 0 && width + wanted - SEPARATOR_WIDTH > columns) {
      lines.push([]);
      width = 0;
    }
    lines.at(-1)?.push(figure);
    width += wanted;
  }
  return lines;
}

function bar(share: number, width: number): string {
  const filled = Math.round(share * width);
  return pc.cyan('█'.repeat(filled)) + pc.dim('░'.repeat(width - filled));
}

function workerWords({ working, idle, starting }: Progress['workers']): string {
  const extras = [idle > 0 ? `${idle} idle` : '', starting > 0 ? `${starting} starting` : ''].filter(
    (word) => word !== '',
  );
  return `${plural(working, 'worker')}${extras.length === 0 ? '' : ` (${extras.join(', ')})`}`;
}

function deadLetterWords(count: number): string {
  const words = plural(count, 'dead letter');
  return count === 0 ? words : pc.red(words);
}
