/**
 * Writing into a byte array, for all of the encoders. A position may run past the array's end: a typed array ignores
 * such writes, so that an encoder need not look at every byte, and whoever called it sees by the position that the
 * row did not fit and throws it away. Only what costs time in proportion to more than its input looks first.
 */

const ZERO = 0x30;
const MINUS = 0x2d;

/** Writes a number from 0 up to below 2^31. */
export function writeSmall(target: Uint8Array, position: number, value: number): number {
  const end = position + digitsOfSmall(value);
  let rest = value;
  for (let i = end - 1; i >= position; i--) {
    const next = (rest / 10) | 0;
    target[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

/** Writes the last `width` digits of a number below 2^31, with leading zeros. */
export function writePadded(target: Uint8Array, position: number, value: number, width: number): number {
  let rest = value;
  for (let i = position + width - 1; i >= position; i--) {
    const next = (rest / 10) | 0;
    target[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return position + width;
}

/** Writes an int4. */
export function writeInt4(target: Uint8Array, position: number, value: number): number {
  if (value >= 0) return writeSmall(target, position, value);
  target[position] = MINUS;
  // -2^31 has no counterpart in 31 bits.
  return value === -0x80000000
    ? writeWhole(target, position + 1, 0x80000000)
    : writeSmall(target, position + 1, -value);
}

/** Writes a whole number from 0 up to 2^53. */
export function writeWhole(target: Uint8Array, position: number, value: number): number {
  if (value < 0x80000000) return writeSmall(target, position, value);
  const high = Math.floor(value / 1e8);
  return writePadded(target, writeWhole(target, position, high), value - high * 1e8, 8);
}

/** Writes an int8 from its two halves, the upper one signed, the lower one not. */
export function writeInt8(target: Uint8Array, position: number, high: number, low: number): number {
  if (high === 0) return writeWhole(target, position, low);
  const value = high * 0x100000000 + low;
  if (!Number.isSafeInteger(value)) return writeAscii(target, position, joinInt8(high, low).toString());
  if (value >= 0) return writeWhole(target, position, value);
  target[position] = MINUS;
  return writeWhole(target, position + 1, -value);
}

export function joinInt8(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Writes text that holds ASCII characters only. */
export function writeAscii(target: Uint8Array, position: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[position + i] = text.charCodeAt(i);
  return position + text.length;
}

/** Reads a signed 32-bit number, most significant byte first, as PostgreSQL sends all of its numbers. */
export function readInt4(source: Uint8Array, at: number): number {
  return (
    ((source[at] as number) << 24) |
    ((source[at + 1] as number) << 16) |
    ((source[at + 2] as number) << 8) |
    (source[at + 3] as number)
  );
}

/** Reads an unsigned 32-bit number. */
export function readUint4(source: Uint8Array, at: number): number {
  return readInt4(source, at) >>> 0;
}

/** Reads a signed 16-bit number. */
export function readInt2(source: Uint8Array, at: number): number {
  return (((source[at] as number) << 24) >> 16) | (source[at + 1] as number);
}

/** Reads an unsigned 16-bit number. */
export function readUint2(source: Uint8Array, at: number): number {
  return ((source[at] as number) << 8) | (source[at + 1] as number);
}

function digitsOfSmall(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  if (value < 1_000_000_000) return 9;
  return 10;
}
