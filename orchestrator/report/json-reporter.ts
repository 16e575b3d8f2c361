import pino, { type Logger } from 'pino';
import { totalOf } from '../reconcile/counts.ts';
import type { Progress } from './progress.ts';
import type { Reporter } from './reporter.ts';

/** Progress in a log is read afterwards, so a line every few seconds is enough. */
const PROGRESS_EVERY_MS = 2_000;

/**
 * Makes a reporter.
 *
 * @param write takes one line with its line end
 */
export function jsonLines(write: (line: string) => void, monotonicMs: () => number): JsonReporter {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return new JsonReporter(pino(options, { write }), monotonicMs);
}

/** One JSON object per line, for files, pipes and schedulers. */
export class JsonReporter implements Reporter {
  readonly #logger: Logger;
  readonly #monotonicMs: () => number;
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger, monotonicMs: () => number) {
    this.#logger = logger;
    this.#monotonicMs = monotonicMs;
  }

  phaseStarted(phase: string): void {
    this.#logger.info({ phase }, 'phase started');
  }

  phaseFinished(phase: string, seconds: number, note: string): void {
    this.#logger.info({ phase, seconds: Number(seconds.toFixed(3)), note }, 'phase finished');
  }

  progress(progress: Progress): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#lastProgressMs < PROGRESS_EVERY_MS) return;
    this.#lastProgressMs = nowMs;
    const { counts, rowsExpected, ranges, workers, waitingFor, estimate, pass, cost } = progress;
    this.#logger.info(
      {
        pass,
        rows: counts.rowsRead,
        rows_expected: rowsExpected,
        documents_per_second: estimate.rowsPerSecond === null ? null : Math.round(estimate.rowsPerSecond),
        eta_seconds: estimate.secondsLeft === null ? null : Math.round(estimate.secondsLeft),
        ranges_done: ranges.done,
        ranges: ranges.total,
        workers,
        retries: counts.retries,
        dead_letters: totalOf(counts, 'deadLetters'),
        waiting_for: waitingFor,
        cost,
      },
      'progress',
    );
  }

  note(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.info(details, message);
  }

  warning(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.warn(details, message);
  }

  failure(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.error(details, message);
  }

  close(): void {}
}
