/**
 * The value of a key in code. Only a key kind compares keys or computes with them. On the wire, in the journal and in
 * SQL a key is the text that its kind's `format` gives.
 */
export type Key = bigint | string;

/**
 * A kind of keys: their order, their text, and what SQL and the search cluster call them. All that differs between
 * integers, uuids and texts stands here. A new kind is a new file in this folder and a line in `kinds.ts`.
 */
export interface KeyKind {
  /** The kind's name in a run's plan; never changed. */
  readonly name: string;
  /** Types of the key column that this kind reads, as PostgreSQL's `format_type` writes them. */
  readonly columnTypes: readonly string[];
  /** The SQL type that the column is read as. */
  readonly sqlType: string;
  /** PostgreSQL's function that hashes a value of `sqlType` to an integer. */
  readonly sqlHash: string;
  /** What a key's text is, as the end of a sentence that begins with "a key is". */
  readonly form: string;
  /** The key that no other comes before. */
  readonly least: Key;
  /** Two keys far apart that are easily recognised in the text of a query plan; the first one is the lesser. */
  readonly recognisable: { readonly start: Key; readonly end: Key };
  /** How the index maps the key's field. */
  readonly mapping: Readonly<Record<string, unknown>>;

  /** Reads a key from its canonical text, within the kind's bounds. Null: the text is no key. */
  parse(text: string): Key | null;
  /** The canonical text: no two texts mean the same key. It holds no comma, so a list of keys travels as one text. */
  format(key: Key): string;
  /** Below 0: `a` comes before `b`; 0: they are the same; above 0: `a` comes behind `b`. The database's own order. */
  compare(a: Key, b: Key): number;
  /** The least key above this one. Null: this is the last key that there can be. */
  after(key: Key): Key | null;
  /**
   * A key at about this share (0 to 1) of the way from `start` to `end`, above the one and below the other. Null: no key
   * lies between them.
   */
  between(start: Key, end: Key, share: number): Key | null;
  /** How far it is from `start` up to `end`. Only the ratio of two distances means something. */
  distance(start: Key, end: Key): number;
  /** The `_id` of the key's document. */
  documentId(key: Key): string;
  /** The key as it stands in its field of the document, as JSON text. */
  json(key: Key): string;
}

/** Reads a key from a text that a schema or the database vouches for. Throws where it is none. */
export function keyFrom(kind: KeyKind, text: string): Key {
  const key = kind.parse(text);
  if (key === null) throw new Error(`"${text}" is no ${kind.name} key`);
  return key;
}
