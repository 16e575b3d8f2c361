import type { KeyBytes } from '../key/key-bytes.ts';
import { Batch } from './batch.ts';

/** Most documents of one batch. */
const MAX_BATCH_ITEMS = 10_000;

/**
 * The worker's batches: made when first needed, then reused for as long as the process lives, so that memory is flat.
 * A target takes them through a share of its own, so that one that is slow keeps none from another.
 */
export class BatchPool {
  readonly capacityBytes: number;
  /** How many batches there are at most, unless a task has more targets. */
  readonly size: number;
  /** A batch is sent with so many bytes. Memory that no document reaches stays untouched. */
  readonly sendAtBytes: number;
  readonly #free: Batch[] = [];

  constructor(capacityBytes: number, size: number, sendAtBytes = capacityBytes) {
    this.capacityBytes = capacityBytes;
    this.size = size;
    this.sendAtBytes = sendAtBytes;
  }

  /** The share of one of so many targets: an equal part, and at least one batch. */
  share(targets: number, keys: KeyBytes): BatchShare {
    return new BatchShare(this, Math.max(1, Math.floor(this.size / targets)), keys);
  }

  take(keys: KeyBytes): Batch {
    const batch = this.#free.pop() ?? new Batch(this.capacityBytes, MAX_BATCH_ITEMS, keys, this.sendAtBytes);
    batch.useKeys(keys);
    return batch;
  }

  give(batch: Batch): void {
    batch.reset();
    if (this.#free.length < this.size) this.#free.push(batch);
  }
}

interface Waiter {
  readonly give: (batch: Batch) => void;
}

/** What one target may hold of a pool's batches. */
export class BatchShare {
  readonly sendAtBytes: number;
  readonly #pool: BatchPool;
  readonly #size: number;
  readonly #keys: KeyBytes;
  readonly #waiters: Waiter[] = [];
  #taken = 0;

  constructor(pool: BatchPool, size: number, keys: KeyBytes) {
    this.sendAtBytes = pool.sendAtBytes;
    this.#pool = pool;
    this.#size = size;
    this.#keys = keys;
  }

  take(): Batch | null {
    if (this.#taken === this.#size) return null;
    this.#taken++;
    return this.#pool.take(this.#keys);
  }

  /** Waits for a free batch; rejects with a signal's reason when one of them is aborted first. */
  async wait(...signals: AbortSignal[]): Promise<Batch> {
    for (const signal of signals) signal.throwIfAborted();
    return this.take() ?? (await this.#queue(signals));
  }

  give(batch: Batch): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      batch.reset();
      waiter.give(batch);
      return;
    }
    this.#taken--;
    this.#pool.give(batch);
  }

  #queue(signals: readonly AbortSignal[]): Promise<Batch> {
    return new Promise((resolve, reject) => {
      const forget = (): void => signals.forEach((signal) => signal.removeEventListener('abort', giveUp));
      const giveUp = (event: Event): void => {
        forget();
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject((event.target as AbortSignal).reason as Error);
      };
      const waiter: Waiter = {
        give: (batch) => {
          forget();
          resolve(batch);
        },
      };
      for (const signal of signals) signal.addEventListener('abort', giveUp, { once: true });
      this.#waiters.push(waiter);
    });
  }
}
