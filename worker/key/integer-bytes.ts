import { endianness } from 'node:os';
import { INTEGER_KEY } from '../../definition/key/integer-key.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import { joinInt8, readInt4, readUint4, writeInt8 } from '../document/bytes.ts';
import type { KeyBytes, KeyCell, KeyStore } from './key-bytes.ts';

/** The key comes as an int8: its length, then eight bytes, the most significant first. */
const LENGTH_BYTES = 4;
const KEY_BYTES = 8;

const HIGH_WORD = endianness() === 'LE' ? 1 : 0;
const LOW_WORD = 1 - HIGH_WORD;

const MINUS = 0x2d;
const ZERO = 0x30;
/** An integer of so many characters, its sign among them, is exact in a number. */
const LONGEST_EXACT_ID = 15;

/** Integer keys: their halves as two numbers, so that no bigint is made for a row. */
export const INTEGER_KEY_BYTES: KeyBytes = {
  kind: INTEGER_KEY,
  mostBytes: LENGTH_BYTES + KEY_BYTES,
  standsAt: (source, at, end) => end - at >= LENGTH_BYTES + KEY_BYTES && readInt4(source, at) === KEY_BYTES,
  createCell: () => new IntegerCell(),
  createStore: (length) => new IntegerStore(length),
};

class IntegerCell implements KeyCell {
  /** The upper half, signed. */
  high = 0;
  /** The lower half, unsigned. */
  low = 0;

  get key(): Key {
    return joinInt8(this.high, this.low);
  }

  read(source: Buffer, at: number): number {
    this.high = readInt4(source, at + LENGTH_BYTES);
    this.low = readUint4(source, at + LENGTH_BYTES + 4);
    return at + LENGTH_BYTES + KEY_BYTES;
  }

  set(key: Key): void {
    const value = BigInt(key);
    this.high = Number(BigInt.asIntN(32, value >> 32n));
    this.low = Number(BigInt.asUintN(32, value));
  }

  copy(from: IntegerCell): void {
    this.high = from.high;
    this.low = from.low;
  }

  compare(other: IntegerCell): number {
    if (this.high !== other.high) return this.high < other.high ? -1 : 1;
    if (this.low !== other.low) return this.low < other.low ? -1 : 1;
    return 0;
  }

  writeJson(target: Buffer, position: number): number {
    return writeInt8(target, position, this.high, this.low);
  }

  writeId(target: Buffer, position: number): number {
    return writeInt8(target, position, this.high, this.low);
  }
}

class IntegerStore implements KeyStore {
  readonly length: number;
  readonly #keys: BigInt64Array;
  readonly #words: Int32Array;

  constructor(length: number) {
    this.length = length;
    this.#keys = new BigInt64Array(length);
    this.#words = new Int32Array(this.#keys.buffer);
  }

  put(index: number, cell: IntegerCell): void {
    this.#words[2 * index + HIGH_WORD] = cell.high;
    this.#words[2 * index + LOW_WORD] = cell.low;
  }

  set(index: number, key: Key): void {
    this.#keys[index] = BigInt(key);
  }

  at(index: number): Key {
    const key = this.#keys[index];
    if (key === undefined) throw new RangeError(`no key at ${index} of a store for ${this.length}`);
    return key;
  }

  move(from: number, to: number): void {
    this.#keys.copyWithin(to, from, from + 1);
  }

  idAt(index: number): string {
    return INTEGER_KEY.documentId(this.at(index));
  }

  endOfId(source: Buffer, at: number, index: number): number {
    const length = digitsLength(source, at);
    if (length > LONGEST_EXACT_ID || readInteger(source, at, length) !== this.#numberAt(index)) return -1;
    return at + length;
  }

  /** A key from its two words, without making a bigint of it; exact within `LONGEST_EXACT_ID`. */
  #numberAt(index: number): number {
    const high = this.#words[2 * index + HIGH_WORD] ?? 0;
    const low = this.#words[2 * index + LOW_WORD] ?? 0;
    return high * 2 ** 32 + (low >>> 0);
  }
}

/** How many bytes from here on are a sign or digits. */
function digitsLength(source: Buffer, at: number): number {
  let length = source[at] === MINUS ? 1 : 0;
  for (let byte = source[at + length]; byte !== undefined && byte >= ZERO && byte <= ZERO + 9; ) {
    byte = source[at + ++length];
  }
  return length;
}

/** The integer written here in its shortest form; NaN when it is not. */
function readInteger(source: Buffer, at: number, length: number): number {
  const negative = source[at] === MINUS;
  const first = at + (negative ? 1 : 0);
  const end = at + length;
  if (first === end || (source[first] === ZERO && (negative || first + 1 < end))) return Number.NaN;
  let value = 0;
  for (let i = first; i < end; i++) value = value * 10 + (source[i] ?? 0) - ZERO;
  return negative ? -value : value;
}
