import type { Clock } from '../clock.ts';
import type { Accounting } from '../plan/cost.ts';
import type { Memory } from '../reconcile/memory.ts';
import type { Observation } from '../reconcile/observation.ts';
import { isDone, type RunState } from '../reconcile/state.ts';
import { beginEta, nextEta } from './eta.ts';
import { FleetWarnings } from './fleet-warnings.ts';
import { type PassFigures, passFiguresOf } from './progress.ts';
import type { Reporter } from './reporter.ts';
import { durationWords } from './words.ts';

export interface PassReportOptions {
  readonly reporter: Reporter;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly accounting: Accounting | null;
  /** How long zero must hold before it counts. 0: it counts at once. */
  readonly zeroQuietMs: number;
}

/** Shows a person a pass tick by tick, and takes times on the way. */
export class PassReport {
  readonly #options: PassReportOptions;
  readonly #warnings: FleetWarnings;
  readonly #startMs: number;
  readonly #rowsBefore: number;
  #eta: ReturnType<typeof beginEta>;
  #last: PassFigures | null = null;
  #workersMs: number | null = null;
  #doneMs: number | null = null;

  /** @param state at the beginning of the pass */
  constructor(state: RunState, options: PassReportOptions) {
    this.#options = options;
    this.#warnings = new FleetWarnings(state);
    this.#startMs = options.clock.monotonicMs();
    this.#rowsBefore = state.counts.rowsRead;
    this.#eta = beginEta(this.#startMs, state.counts.rowsRead);
  }

  /** The time from the beginning of the pass to the first ready worker. Null when none was ready. */
  get bootSeconds(): number | null {
    return this.#workersMs === null ? null : (this.#workersMs - this.#startMs) / 1000;
  }

  /**
   * The rate of the rows that this process saw read, while there were workers and work. It leaves out booting and the
   * way to zero.
   */
  rowsPerSecond(state: RunState): number {
    const { clock } = this.#options;
    const seconds = ((this.#doneMs ?? clock.monotonicMs()) - (this.#workersMs ?? this.#startMs)) / 1000;
    return seconds <= 0 ? 0 : (state.counts.rowsRead - this.#rowsBefore) / seconds;
  }

  tick(state: RunState, memory: Memory, observation: Observation): void {
    const { reporter, clock, accounting } = this.#options;
    for (const warning of this.#warnings.next(state, memory, observation)) reporter.warning(warning);
    const figures = passFiguresOf(state, memory, observation, accounting);
    this.#last = figures;
    if (figures.workers.working + figures.workers.idle > 0) this.#workersMs ??= clock.monotonicMs();
    if (isDone(state)) this.#noteDone(figures);
    const next = nextEta(this.#eta, clock.monotonicMs(), {
      rows: figures.counts.rowsRead,
      rowsExpected: figures.rowsExpected,
      waiting: figures.waitingFor.length > 0,
    });
    this.#eta = next.state;
    reporter.progress({ ...figures, estimate: this.#doneMs === null ? next.estimate : NO_ESTIMATE });
  }

  /** Notes that the fleet cannot be seen. Then nobody knows how fast it is. */
  blind(): void {
    if (this.#last !== null) this.#options.reporter.progress({ ...this.#last, estimate: NO_ESTIMATE });
  }

  #noteDone({ workers }: PassFigures): void {
    if (this.#doneMs !== null) return;
    const { reporter, clock, zeroQuietMs } = this.#options;
    this.#doneMs = clock.monotonicMs();
    const { working, idle, starting } = workers;
    if (zeroQuietMs > 0 && working + idle + starting > 0)
      reporter.note(
        `every range is done; the instances end, and the fleet must stay at zero for ${durationWords(zeroQuietMs / 1000)}`,
      );
  }
}

const NO_ESTIMATE = { rowsPerSecond: null, secondsLeft: null } as const;
