/** The mapping of a field. */
export type Field = Readonly<Record<string, unknown>>;

/** What of the index's settings decides how values are indexed. */
export interface Indexing {
  /** The definition itself lets the cluster drop values that it cannot parse. */
  readonly dropsMalformed: boolean;
  /** The definition itself lets the cluster round numbers to whole ones. */
  readonly coerces: boolean;
  /** The longest text that a keyword field indexes unless its mapping says otherwise. */
  readonly ignoreAbove: number;
  /** The definition describes an analyzer for fields that name none. */
  readonly ownDefaultAnalyzer: boolean;
}
