import type { Row } from '../source/row.ts';
import type { Batch } from './batch.ts';
import type { BatchShare } from './batch-pool.ts';
import type { InFlight } from './in-flight.ts';
import type { TargetCounts } from './settlement.ts';

/**
 * Where documents go. A kind of targets is a folder beside this file. It says how documents are framed in batches, how they
 * are delivered, and what the outcome of each is.
 */
export interface Target {
  readonly framing: Framing;
  /** The batches that are filled for it. Each belongs to the target from `deliver` on until that is over. */
  readonly share: BatchShare;
  /**
   * Brings the documents and dead letters of a batch to their place. Resolves with the outcome of each row of the batch
   * once all of them are durable. Rejects with a TaskFailure when one cannot be, and with the signal's reason.
   */
  deliver(batch: Batch): Promise<TargetCounts>;
  readonly bytesSent: number;
  readonly retries: number;
  /** True while the place is down or refuses everything and requests are sent again. */
  readonly waiting: boolean;
  /** Why it waits, as a clause for a person that holds no value of a row. Null: it does not wait. */
  readonly trouble: string | null;
  readonly inFlight: InFlight;
}

/** What stands around a document in a target's batch. */
export interface Framing {
  /**
   * Writes what stands before the document of a row and gives the position behind it, or UNUSABLE when the target can
   * take no document of this row.
   */
  begin(row: Row, target: Buffer, position: number): number;
  /** Writes what stands behind the document. */
  end(target: Buffer, position: number): number;
  /** More bytes than it ever takes. */
  readonly mostBytes: number;
  /** Why the last row was unusable. */
  faultOf(row: Row): FramingFault;
}

export interface FramingFault {
  readonly type: string;
  readonly reason: string;
}

export const UNUSABLE = -1;
