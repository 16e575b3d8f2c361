import type { Key, KeyKind } from '../../definition/key/key-kind.ts';
import { endsAt, type KeyRange } from '../../definition/key/key-range.ts';
import type { KeyBytes, KeyCell } from '../key/key-bytes.ts';

/**
 * How far a range has been read, the last key that was handed on, and where it ends, which may move down meanwhile.
 * Compared in cells, for it is asked with each row.
 */
export class Position {
  readonly keys: KeyBytes;
  readonly #start: Key | null;
  #end: Key | null = null;
  readonly #endCell: KeyCell;
  readonly #last: KeyCell;
  readonly #asked: KeyCell;
  #begun = false;
  /** There are no rows between the last key and the end. */
  #exhausted = false;
  /** Rows handed on. */
  rows = 0;

  constructor(range: KeyRange, keys: KeyBytes) {
    this.keys = keys;
    this.#start = range.start;
    this.#last = keys.createCell();
    this.#endCell = keys.createCell();
    this.#asked = keys.createCell();
    if (range.end !== null) this.#setEnd(range.end);
  }

  /** Null before the first row. */
  get lastKey(): Key | null {
    return this.#begun ? this.#last.key : null;
  }

  /** What is still to be read; null when nothing can follow. */
  get rest(): KeyRange | null {
    const { lastKey } = this;
    const end = this.#end;
    if (this.#exhausted) return null;
    if (lastKey === null) return { start: this.#start, end };
    return endsAt(this.#kind, { end }, lastKey) ? null : { start: this.#kind.after(lastKey), end };
  }

  /** Below 0: this key lies before the last; 0: it is the last; above 0: behind it. */
  compare(cell: KeyCell): number {
    return this.#begun ? cell.compare(this.#last) : 1;
  }

  /** Whether a key lies before the end. */
  covers(cell: KeyCell): boolean {
    return this.#end === null || cell.compare(this.#endCell) < 0;
  }

  coversKey(key: Key): boolean {
    this.#asked.set(key);
    return this.covers(this.#asked);
  }

  /**
   * Moves the end down, from now on. False, and nothing changed, when it does not lie below the present end, or when
   * reading has come to it already.
   */
  lowerEnd(end: Key): boolean {
    const { lastKey } = this;
    if (!this.coversKey(end) || (lastKey !== null && this.#kind.compare(lastKey, end) >= 0)) return false;
    this.#setEnd(end);
    return true;
  }

  moveTo(cell: KeyCell): void {
    this.#last.copy(cell);
    this.#begun = true;
    this.rows++;
  }

  moveToKey(key: Key): void {
    this.#asked.set(key);
    this.moveTo(this.#asked);
  }

  /** There are no rows up to this key; one at or behind the end says that nothing is left. */
  skipTo(key: Key): void {
    if (!this.coversKey(key)) {
      this.#exhausted = true;
      return;
    }
    if (this.compare(this.#asked) <= 0) return;
    this.moveTo(this.#asked);
    this.rows--;
  }

  get #kind(): KeyKind {
    return this.keys.kind;
  }

  #setEnd(end: Key): void {
    this.#end = end;
    this.#endCell.set(end);
  }
}

/** The part of a range up to and including a key. */
export function upTo(kind: KeyKind, range: KeyRange, key: Key): KeyRange {
  const next = kind.after(key);
  return next === null ? range : { start: range.start, end: next };
}
