import { endianness } from 'node:os';

const HIGH = endianness() === 'LE' ? 1 : 0;

/** Puts a 64-bit number together from its two halves without making a bigint of it. */
export class Int64Cell {
  readonly #whole = new BigInt64Array(1);
  readonly #halves = new Int32Array(this.#whole.buffer);

  store(into: BigInt64Array, index: number, high: number, low: number): void {
    this.#halves[HIGH] = high;
    this.#halves[1 - HIGH] = low;
    into[index] = this.#whole[0] as bigint;
  }
}
