import type { KeyRange } from '../../definition/definition.ts';
import { joinInt8 } from '../document/bytes.ts';

const LARGEST_KEY = 2n ** 63n - 1n;

/** How far a range has been read: the last key that was handed on. Compared without bigints, for it moves with each row. */
export class Position {
  readonly #range: KeyRange;
  #high = 0;
  #low = 0;
  #begun = false;
  /** Rows handed on. */
  rows = 0;

  constructor(range: KeyRange) {
    this.#range = range;
  }

  /** Null before the first row. */
  get lastKey(): bigint | null {
    return this.#begun ? joinInt8(this.#high, this.#low) : null;
  }

  /** What is still to be read; null when nothing can follow. */
  get rest(): KeyRange | null {
    const { lastKey } = this;
    const { start, end } = this.#range;
    if (lastKey === null) return { start, end };
    if (lastKey === LARGEST_KEY || lastKey + 1n === end) return null;
    return { start: lastKey + 1n, end };
  }

  /** -1: this key lies before the last; 0: it is the last; 1: behind it. */
  compare(high: number, low: number): -1 | 0 | 1 {
    if (!this.#begun || high > this.#high) return 1;
    if (high < this.#high) return -1;
    if (low === this.#low) return 0;
    return low > this.#low ? 1 : -1;
  }

  moveTo(high: number, low: number): void {
    this.#high = high;
    this.#low = low;
    this.#begun = true;
    this.rows++;
  }

  moveToKey(key: bigint): void {
    this.moveTo(Number(BigInt.asIntN(32, key >> 32n)), Number(BigInt.asUintN(32, key)));
  }

  /** There are no rows up to this key. */
  skipTo(key: bigint): void {
    if (this.lastKey !== null && this.lastKey >= key) return;
    this.moveToKey(key);
    this.rows--;
  }
}

/** The part of a range up to and including a key. */
export function upTo(range: KeyRange, key: bigint): KeyRange {
  return key === LARGEST_KEY ? range : { start: range.start, end: key + 1n };
}
