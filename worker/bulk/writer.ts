import type { Batch } from './batch.ts';

/** Counts of settled rows; they cover exactly the rows up to `settledThrough`. */
export interface SettledCounts {
  rowsRead: number;
  filtered: number;
  indexed: number;
  superseded: number;
  deadLetters: number;
}

/**
 * Where the pipeline hands its batches. Order of submission is key order; bulks may finish in any order, but
 * `settledThrough` and the counts only move when every batch up to there has its final outcome.
 */
export interface BulkWriter {
  /** Waits until another batch may be filled and gives an empty one. Rejects when the task must end. */
  acquire(signal: AbortSignal): Promise<Batch>;
  /** An empty batch if one may be filled at once; else null (then close the tap and `acquire`). Throws like `acquire`. */
  tryAcquire(): Batch | null;
  /** Takes a batch over. Its buffer belongs to the writer until it comes back through `acquire`. */
  submit(batch: Batch): void;
  /** Resolves when every submitted batch is settled; rejects with a TaskFailure when one cannot be. */
  finish(signal: AbortSignal): Promise<void>;
  readonly settledThrough: bigint | null;
  readonly counts: Readonly<SettledCounts>;
  readonly bytesSent: number;
  readonly retries: number;
  /** True while the cluster is down or refuses everything and bulks are being sent again. */
  readonly waiting: boolean;
}
