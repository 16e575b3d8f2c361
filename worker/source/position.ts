import type { KeyRange } from '../../definition/definition.ts';
import { joinInt8 } from '../document/bytes.ts';

const LARGEST_KEY = 2n ** 63n - 1n;
/** Above the upper half of every key. */
const OPEN_END_HIGH = 2 ** 31;

/**
 * How far a range has been read, the last key that was handed on, and where it ends, which may move down meanwhile.
 * Compared without bigints, for it is asked with each row.
 */
export class Position {
  readonly #start: bigint | null;
  #end: bigint | null = null;
  #endHigh = OPEN_END_HIGH;
  #endLow = 0;
  #high = 0;
  #low = 0;
  #begun = false;
  /** Rows handed on. */
  rows = 0;

  constructor(range: KeyRange) {
    this.#start = range.start;
    if (range.end !== null) this.#setEnd(range.end);
  }

  /** Null before the first row. */
  get lastKey(): bigint | null {
    return this.#begun ? joinInt8(this.#high, this.#low) : null;
  }

  /** What is still to be read; null when nothing can follow. */
  get rest(): KeyRange | null {
    const { lastKey } = this;
    const end = this.#end;
    if (lastKey === null) return { start: this.#start, end };
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

  /** Whether a key lies before the end. */
  covers(high: number, low: number): boolean {
    return high < this.#endHigh || (high === this.#endHigh && low < this.#endLow);
  }

  coversKey(key: bigint): boolean {
    return this.covers(highOf(key), lowOf(key));
  }

  /**
   * Moves the end down, from now on. False, and nothing changed, when it does not lie below the present end, or when
   * reading has come to it already.
   */
  lowerEnd(end: bigint): boolean {
    if (!this.coversKey(end) || (this.lastKey !== null && this.lastKey >= end)) return false;
    this.#setEnd(end);
    return true;
  }

  moveTo(high: number, low: number): void {
    this.#high = high;
    this.#low = low;
    this.#begun = true;
    this.rows++;
  }

  moveToKey(key: bigint): void {
    this.moveTo(highOf(key), lowOf(key));
  }

  /** There are no rows up to this key; one behind the end says as much of the last key before the end. */
  skipTo(key: bigint): void {
    const last = this.#end === null || key < this.#end ? key : this.#end - 1n;
    if (this.lastKey !== null && this.lastKey >= last) return;
    this.moveToKey(last);
    this.rows--;
  }

  #setEnd(end: bigint): void {
    this.#end = end;
    this.#endHigh = highOf(end);
    this.#endLow = lowOf(end);
  }
}

function highOf(key: bigint): number {
  return Number(BigInt.asIntN(32, key >> 32n));
}

function lowOf(key: bigint): number {
  return Number(BigInt.asUintN(32, key));
}

/** The part of a range up to and including a key. */
export function upTo(range: KeyRange, key: bigint): KeyRange {
  return key === LARGEST_KEY ? range : { start: range.start, end: key + 1n };
}
