import type { UnusableChangedAt } from '../../definition/definition.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import { BulkFraming } from '../../worker/targets/bulk/action-line.ts';
import { emptyStretch, type Stretch } from '../../worker/targets/stretch.ts';
import type { Framing } from '../../worker/targets/target.ts';
import type { TargetsWriter } from '../../worker/targets/targets-writer.ts';
import { emptyBatch } from './batches.ts';

export interface CollectedDocument {
  readonly key: Key;
  /** Both lines as they would be sent. */
  readonly action: string;
  readonly document: string;
}

export interface CollectedLetter {
  readonly key: Key;
  readonly type: string;
  readonly reason: string;
  readonly fields: string | null;
}

export interface CollectingWriterOptions {
  readonly capacityBytes?: number;
  readonly maxItems?: number;
  /** How many milliseconds each delivery takes before its buffer comes back. 0: it comes back at once. */
  readonly settleMs?: number;
  /** Whether action lines carry versions. */
  readonly versioned?: boolean;
  /** What becomes of a row whose `changed_at` cannot be a version. */
  readonly unusableChangedAt?: UnusableChangedAt;
}

export interface CollectedCounts {
  rowsRead: number;
  filtered: number;
  indexed: number;
  superseded: number;
  deadLetters: number;
}

/** A writer with one target. The target keeps all documents. There is one batch at a time. */
export class CollectingWriter implements TargetsWriter {
  readonly framings: readonly Framing[];
  readonly documents: CollectedDocument[] = [];
  readonly letters: CollectedLetter[] = [];
  readonly counts: CollectedCounts = { rowsRead: 0, filtered: 0, indexed: 0, superseded: 0, deadLetters: 0 };
  readonly retries = 0;
  readonly waiting = false;
  bytesSent = 0;
  batches = 0;
  settledThrough: Key | null = null;
  /** While set, no batch is given out. */
  closed = false;
  readonly #settleMs: number;
  #free: Stretch | null;
  #waiters: (() => void)[] = [];

  constructor({
    capacityBytes = 4 * 1024 * 1024,
    maxItems = 10_000,
    settleMs = 0,
    versioned = false,
    unusableChangedAt = 'dead_letter',
  }: CollectingWriterOptions = {}) {
    this.#settleMs = settleMs;
    this.framings = [new BulkFraming(versioned, unusableChangedAt)];
    this.#free = emptyStretch([emptyBatch(capacityBytes, maxItems)]);
  }

  tryAcquire(): Stretch | null {
    if (this.closed) return null;
    const stretch = this.#free;
    this.#free = null;
    return stretch;
  }

  async acquire(signal: AbortSignal): Promise<Stretch> {
    for (;;) {
      signal.throwIfAborted();
      const stretch = this.tryAcquire();
      if (stretch !== null) return stretch;
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  submit(stretch: Stretch): void {
    if (stretch.rowsRead > 0) this.#collect(stretch);
    for (const batch of stretch.batches) batch.reset();
    const emptied = emptyStretch(stretch.batches);
    if (this.#settleMs === 0) this.#giveBack(emptied);
    else setTimeout(() => this.#giveBack(emptied), this.#settleMs);
  }

  async finish(): Promise<void> {}

  /** Lets batches be given out again. */
  open(): void {
    this.closed = false;
    this.#wake();
  }

  get keys(): Key[] {
    return this.documents.map(({ key }) => key);
  }

  #collect({ batches: [batch], rowsRead, filtered, lastKey }: Stretch): void {
    if (batch === undefined || lastKey === null) throw new Error('a stretch without a batch or its last key');
    if (batch.rows !== rowsRead || batch.filtered !== filtered) throw new Error('rows would be lost');
    for (let i = 0; i < batch.items; i++) {
      const lines = batch.buffer.toString('utf8', batch.itemStart(i), batch.itemEnd(i)).split('\n');
      if (lines.length !== 3 || lines[2] !== '') throw new Error(`not two lines: ${JSON.stringify(lines)}`);
      this.documents.push({ key: batch.keys.at(i), action: lines[0] ?? '', document: lines[1] ?? '' });
    }
    this.letters.push(...batch.deadLetters);
    this.batches++;
    this.bytesSent += batch.length;
    this.settledThrough = lastKey;
    this.counts.rowsRead += rowsRead;
    this.counts.filtered += filtered;
    this.counts.indexed += batch.items;
    this.counts.deadLetters += batch.deadLetters.length;
  }

  #giveBack(stretch: Stretch): void {
    this.#free = stretch;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
