import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';

/**
 * The table as validation sees it. Every method only reads, so it may be called again after a failure, and several may
 * run at once. Each reads what is committed when it runs. Calls share no snapshot.
 */
export interface ValidationSource {
  /**
   * Counts the rows of the base table in the range, and how many of them the definition keeps. A row for which nobody
   * can say so, because its condition fails, counts as kept: the workers bury it. Throws RunFailed where
   * joins change the number of rows.
   */
  count(range: KeyRange): Promise<{ readonly rows: number; readonly kept: number }>;
  /**
   * Counts all rows of the base table, and those whose key lies in one of the ranges, on one snapshot. Nothing of the
   * catalogue is believed.
   */
  placement(ranges: readonly KeyRange[]): Promise<Placement>;
  /**
   * Counts in a range, for each of the fields, the rows with a fraction in it. A row whose expressions fail has none: the
   * workers bury it.
   */
  fractions(range: KeyRange, fields: readonly string[]): Promise<readonly number[]>;
  /** The keys of the rows that the definition keeps, rising, in pages. */
  keys(range: KeyRange): AsyncIterable<readonly Key[]>;
  /** The keys of some rows, to compare field by field. */
  sampleKeys(ranges: readonly KeyRange[]): Promise<readonly Key[]>;
  /**
   * What the documents of these keys should be, in any order. Rows that are gone or that `where` leaves out are absent.
   */
  expectedRows(keys: readonly Key[]): Promise<readonly ExpectedRow[]>;
}

export interface Placement {
  readonly rows: number;
  readonly placed: number;
}

export interface ExpectedRow {
  readonly key: Key;
  /**
   * The JSON text of each field, in the definition's order, where null is SQL null. Null: an expression fails for the row.
   */
  readonly values: readonly (string | null)[] | null;
}
