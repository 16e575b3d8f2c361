import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';

/**
 * The table as validation sees it. Every method only reads, so each may be called again after a failure, and several
 * may run at the same time. Each reads what is committed when it runs: no snapshot is shared between calls.
 */
export interface ValidationSource {
  /** Rows of the base table in the range, and how many of them the definition keeps. Throws RunFailed where joins make more or fewer rows of them. */
  count(range: KeyRange): Promise<{ readonly rows: number; readonly kept: number }>;
  /** The keys of the rows that the definition keeps, rising, in pages. */
  keys(range: KeyRange): AsyncIterable<readonly Key[]>;
  /** Keys of some rows, to be compared field by field. */
  sampleKeys(ranges: readonly KeyRange[]): Promise<readonly Key[]>;
  /** What the documents of these keys should be, in any order; rows that are gone or that `where` leaves out are absent. */
  expectedRows(keys: readonly Key[]): Promise<readonly ExpectedRow[]>;
}

export interface ExpectedRow {
  readonly key: Key;
  /** JSON text of each field, in the definition's order; null: SQL null. */
  readonly values: readonly (string | null)[];
}
