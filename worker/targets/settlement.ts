import type { Key } from '../../definition/key/key-kind.ts';
import type { Batch } from './batch.ts';
import type { Stretch } from './stretch.ts';

/** What became of a stretch's rows at one target. */
export interface TargetCounts {
  indexed: number;
  superseded: number;
  filtered: number;
  deadLetters: number;
}

/** Counts of settled rows; they cover exactly the rows up to `settledThrough`. */
export interface SettledCounts {
  rowsRead: number;
  /** Rows that no target takes. */
  filtered: number;
  /** In the order of the task's targets. */
  readonly targets: readonly TargetCounts[];
}

/** What is known of a stretch when it is submitted. */
export interface SubmittedStretch extends Omit<Stretch, 'batches'> {
  readonly batches: readonly Pick<Batch, 'rows' | 'items' | 'filtered' | 'deadLetters'>[];
}

/** A stretch's place in the order of keys, with its counts as far as they are known. */
export interface OpenStretch {
  readonly lastKey: Key;
  readonly rowsRead: number;
  readonly filtered: number;
  readonly outcomes: (TargetCounts | null)[];
}

/**
 * Keeps the order in which stretches were submitted, so that the counts of every target and `settledThrough` only ever
 * cover a closed stretch of rows from the task's start, though deliveries finish in any order and one target is ahead of
 * another. Pure.
 */
export class Settlement {
  readonly counts: SettledCounts;
  settledThrough: Key | null = null;
  readonly #open: OpenStretch[] = [];

  /** @param targets how many there are */
  constructor(targets: number) {
    const none = (): TargetCounts => ({ indexed: 0, superseded: 0, filtered: 0, deadLetters: 0 });
    this.counts = { rowsRead: 0, filtered: 0, targets: Array.from({ length: targets }, none) };
  }

  get idle(): boolean {
    return this.#open.length === 0;
  }

  /** @throws Error when the stretch's own counts contradict each other. */
  enter({ lastKey, rowsRead, filtered, batches }: SubmittedStretch): OpenStretch {
    for (const batch of batches) {
      if (lastKey !== null && batch.rows === rowsRead && batch.filtered >= filtered) continue;
      throw new Error(
        `A stretch of ${rowsRead} rows through key ${lastKey} has ${batch.items} documents, ` +
          `${batch.filtered} filtered rows and ${batch.deadLetters.length} dead letters of a target: rows would be lost.`,
      );
    }
    if (lastKey === null || batches.length !== this.counts.targets.length)
      throw new Error(`A stretch of ${batches.length} batches through key ${lastKey}`);
    const stretch = { lastKey, rowsRead, filtered, outcomes: batches.map(() => null) };
    this.#open.push(stretch);
    return stretch;
  }

  /** @throws Error when the outcomes do not add up to the rows of the stretch. */
  settle(stretch: OpenStretch, target: number, outcome: TargetCounts): void {
    const settled = outcome.indexed + outcome.superseded + outcome.filtered + outcome.deadLetters;
    if (settled !== stretch.rowsRead) {
      throw new Error(`${settled} outcomes for ${stretch.rowsRead} rows through ${stretch.lastKey}`);
    }
    stretch.outcomes[target] = outcome;
    while (this.#open[0]?.outcomes.every((one) => one !== null) === true) {
      this.#count(this.#open[0]);
      this.#open.shift();
    }
  }

  #count({ lastKey, rowsRead, filtered, outcomes }: OpenStretch): void {
    this.settledThrough = lastKey;
    this.counts.rowsRead += rowsRead;
    this.counts.filtered += filtered;
    for (const [i, counts] of this.counts.targets.entries()) {
      const outcome = outcomes[i];
      if (outcome === null || outcome === undefined) continue;
      counts.indexed += outcome.indexed;
      counts.superseded += outcome.superseded;
      counts.filtered += outcome.filtered;
      counts.deadLetters += outcome.deadLetters;
    }
  }
}
