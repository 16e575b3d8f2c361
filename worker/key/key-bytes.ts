import type { Key, KeyKind } from '../../definition/key/key-kind.ts';

/**
 * What the data path does with the bytes of one kind of keys. The rest of the worker holds keys in cells and stores and
 * asks these, so that no value is made for the key of a row.
 */
export interface KeyBytes {
  readonly kind: KeyKind;
  /** The most bytes that a key takes in a row of the binary COPY, its length among them. */
  readonly mostBytes: number;
  /** Whether a whole key stands in `source[at, end)`. */
  standsAt(source: Buffer, at: number, end: number): boolean;
  createCell(): KeyCell;
  createStore(length: number): KeyStore;
}

/** Holds one key; used again and again. */
export interface KeyCell {
  readonly key: Key;
  /** Takes the key whose length stands at `source[at]`. Gives where the next column begins. */
  read(source: Buffer, at: number): number;
  set(key: Key): void;
  copy(from: KeyCell): void;
  /** Below 0: this key comes before the other; 0: they are the same; above 0: it comes behind the other. */
  compare(other: KeyCell): number;
  /** Writes the key as JSON, as it stands in its field of the document. */
  writeJson(target: Buffer, position: number): number;
  /** Writes the document's `_id`, without quotes. */
  writeId(target: Buffer, position: number): number;
}

/** The keys of a batch. */
export interface KeyStore {
  readonly length: number;
  put(index: number, cell: KeyCell): void;
  set(index: number, key: Key): void;
  at(index: number): Key;
  move(from: number, to: number): void;
  /** The `_id` of the document at this index. */
  idAt(index: number): string;
  /** Where the `_id` of the document at this index ends if `source[at]` begins with it. -1: it does not, or that is not known. */
  endOfId(source: Buffer, at: number, index: number): number;
}
