import { Batch } from './batch.ts';

/** Most documents of one batch. */
const MAX_BATCH_ITEMS = 10_000;
/** Room that a batch has beside its largest document: the action line (a key and a version of 20 characters each) and newlines. */
export const DOCUMENT_OVERHEAD_BYTES = 256;

interface Waiter {
  readonly give: (batch: Batch) => void;
}

/** The worker's batches: made when first needed, then reused for as long as the process lives, so that memory is flat. */
export class BatchPool {
  readonly capacityBytes: number;
  /** How many batches there are at most. */
  readonly size: number;
  readonly #free: Batch[] = [];
  readonly #waiters: Waiter[] = [];
  #made = 0;

  constructor(capacityBytes: number, size: number) {
    this.capacityBytes = capacityBytes;
    this.size = size;
  }

  take(): Batch | null {
    const batch = this.#free.pop();
    if (batch !== undefined) return batch;
    if (this.#made === this.size) return null;
    this.#made++;
    return new Batch(this.capacityBytes, MAX_BATCH_ITEMS);
  }

  /** Waits for a free batch; rejects with a signal's reason when one of them is aborted first. */
  async wait(...signals: AbortSignal[]): Promise<Batch> {
    for (const signal of signals) signal.throwIfAborted();
    return this.take() ?? (await this.#queue(signals));
  }

  give(batch: Batch): void {
    batch.reset();
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#free.push(batch);
    else waiter.give(batch);
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
