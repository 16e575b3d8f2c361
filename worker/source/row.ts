import { readInt4 } from '../document/bytes.ts';
import type { KeyBytes, KeyCell } from '../key/key-bytes.ts';

/** How the rows of a COPY are laid out, see `copyStatement`. */
export interface RowLayout {
  readonly keys: KeyBytes;
  /** How many booleans follow the key. */
  readonly wheres: number;
  /** Whether the time of the last change follows them. */
  readonly hasChangedAt: boolean;
  readonly fields: number;
}

const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
/** A boolean with its length. */
const BOOLEAN_BYTES = LENGTH_BYTES + 1;

const NOWHERE = Buffer.alloc(0);

/** How many columns each row has. */
export function columnCount({ wheres, hasChangedAt, fields }: RowLayout): number {
  return 1 + wheres + (hasChangedAt ? 1 : 0) + fields;
}

/** The most bytes of a row's beginning that say whose row it is and who keeps it. */
export function headBytes({ keys, wheres }: RowLayout): number {
  return COUNT_BYTES + keys.mostBytes + wheres * BOOLEAN_BYTES;
}

/** The row at hand of a binary COPY. There is one, which is moved from row to row. */
export class Row {
  readonly key: KeyCell;
  source: Buffer = NOWHERE;
  start = 0;
  end = 0;
  /** Where the time of the last change stands, behind its length; meant only where the layout has one. */
  changedAtAt = 0;
  /** How long that is; -1: null. */
  changedAtLength = -1;
  /** Where the document's fields begin. */
  fieldsAt = 0;
  #keptAt = 0;
  readonly #wheres: number;
  readonly #hasChangedAt: boolean;

  constructor({ keys, wheres, hasChangedAt }: RowLayout) {
    this.key = keys.createCell();
    this.#wheres = wheres;
    this.#hasChangedAt = hasChangedAt;
  }

  /** Moves to the row `source[start, end)`; of one over the limit only its head is meant. */
  moveTo(source: Buffer, start: number, end: number): void {
    this.source = source;
    this.start = start;
    this.end = end;
    const keptAt = this.key.read(source, start + COUNT_BYTES);
    this.#keptAt = keptAt;
    let at = keptAt + this.#wheres * BOOLEAN_BYTES;
    if (this.#hasChangedAt) {
      const length = readInt4(source, at);
      this.changedAtLength = length;
      at += LENGTH_BYTES;
      this.changedAtAt = at;
      if (length > 0) at += length;
    }
    this.fieldsAt = at;
  }

  /** Whether the `where` at this place holds for the row. */
  keeps(where: number): boolean {
    return this.source[this.#keptAt + where * BOOLEAN_BYTES + LENGTH_BYTES] !== 0;
  }
}
