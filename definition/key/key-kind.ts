/**
 * The value of a key in code. Only a key kind compares keys or computes with them. On the wire, in the journal and in
 * SQL a key is the text that its kind's `format` gives.
 */
export type Key = bigint | string;

/**
 * A kind of keys: their order, their text, and their names in SQL and in the search cluster. Everything that differs
 * between integers, uuids and texts is here. A new kind is a new file in this folder and a line in `kinds.ts`.
 */
export interface KeyKind {
  /** The kind's name in a run's plan. It never changes. */
  readonly name: string;
  /** The types of the key column that this kind reads, as PostgreSQL's `format_type` writes them. */
  readonly columnTypes: readonly string[];
  /** The SQL type that the column is read as. */
  readonly sqlType: string;
  /** PostgreSQL's function that hashes a value of `sqlType` to an integer. */
  readonly sqlHash: string;
  /** What a key's text is. It ends a sentence that begins with "a key is". */
  readonly form: string;
  /** The least possible key. */
  readonly least: Key;
  /** Two keys far apart that are easy to recognise in the text of a query plan. The first is the lesser one. */
  readonly recognisable: { readonly start: Key; readonly end: Key };
  /** How the index maps the key's field. */
  readonly mapping: Readonly<Record<string, unknown>>;

  /** Reads a key from its canonical text, within the kind's bounds. Null when the text is not a key. */
  parse(text: string): Key | null;
  /** The canonical text. No two texts mean the same key. It holds no comma, so one text can hold a list of keys. */
  format(key: Key): string;
  /**
   * Below 0 when `a` comes before `b`, 0 when they are the same, above 0 when `a` comes after `b`. This is the
   * database's own order.
   */
  compare(a: Key, b: Key): number;
  /** The next key above this one. Null after the last possible key. */
  after(key: Key): Key | null;
  /**
   * A key at about this share (0 to 1) of the way from `start` to `end`, above `start` and below `end`. Null when no
   * key lies between them.
   */
  between(start: Key, end: Key, share: number): Key | null;
  /** How far it is from `start` up to `end`. Only the ratio of two distances has a meaning. */
  distance(start: Key, end: Key): number;
  /** The `_id` of the key's document. */
  documentId(key: Key): string;
  /** The key in its field of the document, as JSON text. */
  json(key: Key): string;
}

/** Reads a key from a text that a schema or the database has checked. Throws when it is not a key. */
export function keyFrom(kind: KeyKind, text: string): Key {
  const key = kind.parse(text);
  if (key === null) throw new Error(`"${text}" is not a key of the kind ${kind.name}`);
  return key;
}
