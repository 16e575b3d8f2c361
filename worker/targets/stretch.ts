import type { Key } from '../../definition/key/key-kind.ts';
import type { Batch } from './batch.ts';

/**
 * A closed stretch of the task's rows, in key order, with a batch for each target. It is closed for all targets at once,
 * and settles when all of them have settled it: so every target's counts are exact at the same key.
 */
export interface Stretch {
  /** In the order of the task's targets. */
  readonly batches: readonly Batch[];
  rowsRead: number;
  /** Rows that no target takes. */
  filtered: number;
  /** The last key of the stretch; null while no row has entered. */
  lastKey: Key | null;
}

export function emptyStretch(batches: readonly Batch[]): Stretch {
  return { batches, rowsRead: 0, filtered: 0, lastKey: null };
}
