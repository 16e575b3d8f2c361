import type { Batch } from './batch.ts';
import type { SettledCounts } from './writer.ts';

/** A batch's place in the order of keys, with its counts once they are known. */
export interface Stretch {
  readonly lastKey: bigint;
  readonly rowsRead: number;
  readonly filtered: number;
  outcome: StretchOutcome | null;
}

export interface StretchOutcome {
  readonly indexed: number;
  readonly superseded: number;
  readonly deadLetters: number;
}

/**
 * Keeps the order in which batches were submitted, so that the counts and `settledThrough` only ever cover a closed
 * stretch of rows from the task's start, though bulks finish in any order. Pure.
 */
export class Settlement {
  readonly counts: SettledCounts = { rowsRead: 0, filtered: 0, indexed: 0, superseded: 0, deadLetters: 0 };
  settledThrough: bigint | null = null;
  readonly #open: Stretch[] = [];

  get idle(): boolean {
    return this.#open.length === 0;
  }

  /** @throws Error when the batch's own counts contradict each other. */
  enter(batch: Pick<Batch, 'lastKey' | 'rowsRead' | 'filtered' | 'items' | 'deadLetters'>): Stretch {
    if (
      batch.lastKey === null ||
      batch.rowsRead !== batch.filtered + batch.items + batch.deadLetters.length
    ) {
      throw new Error(
        `A batch of ${batch.rowsRead} rows through key ${batch.lastKey} has ${batch.items} documents, ` +
          `${batch.filtered} filtered rows and ${batch.deadLetters.length} dead letters: rows would be lost.`,
      );
    }
    const stretch: Stretch = {
      lastKey: batch.lastKey,
      rowsRead: batch.rowsRead,
      filtered: batch.filtered,
      outcome: null,
    };
    this.#open.push(stretch);
    return stretch;
  }

  /** @throws Error when the outcomes do not add up to the rows of the stretch. */
  settle(stretch: Stretch, outcome: StretchOutcome): void {
    const settled = outcome.indexed + outcome.superseded + outcome.deadLetters;
    if (settled !== stretch.rowsRead - stretch.filtered) {
      throw new Error(
        `${settled} outcomes for ${stretch.rowsRead - stretch.filtered} rows through ${stretch.lastKey}`,
      );
    }
    stretch.outcome = outcome;
    while (this.#open[0] !== undefined && this.#open[0].outcome !== null) {
      this.#count(this.#open[0], this.#open[0].outcome);
      this.#open.shift();
    }
  }

  #count(stretch: Stretch, outcome: StretchOutcome): void {
    this.settledThrough = stretch.lastKey;
    this.counts.rowsRead += stretch.rowsRead;
    this.counts.filtered += stretch.filtered;
    this.counts.indexed += outcome.indexed;
    this.counts.superseded += outcome.superseded;
    this.counts.deadLetters += outcome.deadLetters;
  }
}
