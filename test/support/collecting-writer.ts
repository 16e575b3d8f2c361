import { Batch } from '../../worker/bulk/batch.ts';
import type { BulkWriter, SettledCounts } from '../../worker/bulk/writer.ts';

export interface CollectedDocument {
  readonly key: bigint;
  /** Both lines as they would be sent. */
  readonly action: string;
  readonly document: string;
}

export interface CollectedLetter {
  readonly key: bigint;
  readonly type: string;
  readonly reason: string;
  readonly fields: string | null;
}

export interface CollectingWriterOptions {
  readonly capacityBytes?: number;
  readonly maxItems?: number;
  /** How long each batch is away before its buffer comes back, in milliseconds; 0: not at all. */
  readonly settleMs?: number;
}

/** A writer that keeps what it is given, with one batch at a time. */
export class CollectingWriter implements BulkWriter {
  readonly documents: CollectedDocument[] = [];
  readonly letters: CollectedLetter[] = [];
  readonly counts: SettledCounts = { rowsRead: 0, filtered: 0, indexed: 0, superseded: 0, deadLetters: 0 };
  readonly retries = 0;
  readonly waiting = false;
  bytesSent = 0;
  batches = 0;
  settledThrough: bigint | null = null;
  /** While set, no batch is given out. */
  closed = false;
  readonly #settleMs: number;
  #free: Batch | null;
  #waiters: (() => void)[] = [];

  constructor({
    capacityBytes = 4 * 1024 * 1024,
    maxItems = 10_000,
    settleMs = 0,
  }: CollectingWriterOptions = {}) {
    this.#settleMs = settleMs;
    this.#free = new Batch(capacityBytes, maxItems);
  }

  tryAcquire(): Batch | null {
    if (this.closed) return null;
    const batch = this.#free;
    this.#free = null;
    return batch;
  }

  async acquire(signal: AbortSignal): Promise<Batch> {
    for (;;) {
      signal.throwIfAborted();
      const batch = this.tryAcquire();
      if (batch !== null) return batch;
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  submit(batch: Batch): void {
    if (!batch.empty) this.#collect(batch);
    batch.reset();
    if (this.#settleMs === 0) this.#giveBack(batch);
    else setTimeout(() => this.#giveBack(batch), this.#settleMs);
  }

  async finish(): Promise<void> {}

  /** Lets batches be given out again. */
  open(): void {
    this.closed = false;
    this.#wake();
  }

  get keys(): bigint[] {
    return this.documents.map(({ key }) => key);
  }

  #collect(batch: Batch): void {
    if (batch.lastKey === null) throw new Error('a batch without its last key');
    for (let i = 0; i < batch.items; i++) {
      const lines = batch.buffer.toString('utf8', batch.itemStart(i), batch.itemEnd(i)).split('\n');
      if (lines.length !== 3 || lines[2] !== '') throw new Error(`not two lines: ${JSON.stringify(lines)}`);
      this.documents.push({ key: batch.keys[i] ?? 0n, action: lines[0] ?? '', document: lines[1] ?? '' });
    }
    this.letters.push(...batch.deadLetters);
    this.batches++;
    this.bytesSent += batch.length;
    this.settledThrough = batch.lastKey;
    this.counts.rowsRead += batch.rowsRead;
    this.counts.filtered += batch.filtered;
    this.counts.indexed += batch.items;
    this.counts.deadLetters += batch.deadLetters.length;
  }

  #giveBack(batch: Batch): void {
    this.#free = batch;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
