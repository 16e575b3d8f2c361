import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import type { Cutoff } from '../reconcile/cutoff.ts';

/**
 * What the database says of changes while a run goes on. Every method only reads, so it may be called again after a
 * failure.
 */
export interface ChangesSource {
  /** The moment from which on changes may be missing in what is read after this call. */
  cutoff(): Promise<Cutoff>;
  /**
   * The rows of a range that changed at `since` or later, in key order and in pages. It needs a `changed_at`.
   *
   * @param since in ISO 8601
   */
  changedRows(range: KeyRange, since: string): AsyncIterable<readonly ChangedRow[]>;
  /**
   * Counts the rows in the index whose `changed_at` says nothing of a later change: it is in the future, or it is no
   * version and they have the lowest one. Null where they cannot be counted. It needs a `changed_at`.
   */
  unseenRows(): Promise<number | null>;
  /** Looks at what is cheap to see of the tables that the definition reads. */
  tableState(): Promise<TableState>;
}

export interface ChangedRow {
  readonly key: Key;
  /** The version of its document: `changed_at` in microseconds since 1970. */
  readonly version: bigint;
  /** Whether the definition keeps the row. */
  readonly kept: boolean;
}

/** Two states that differ prove that the tables have changed. Equal ones do not prove that they have not. */
export interface TableState {
  /** The rows of the base table. Null for a large table, whose count is not cheap. */
  readonly rows: number | null;
  /** All rows that were ever inserted, updated or deleted, by the database's statistics. Null where it keeps none. */
  readonly writes: number | null;
  /** The digest of the tables' files. TRUNCATE changes it. Null where the definition reads no table of its own. */
  readonly files: string | null;
}
