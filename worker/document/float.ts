import { endianness } from 'node:os';
import { readInt4, writeAscii, writeWhole } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter } from './value-writer.ts';

/**
 * Floats as `to_jsonb` prints them: the fewest digits that give the same value back, without an exponent.
 * PostgreSQL never prints a number that lies exactly between two floats, JavaScript does (1e23).
 * Source: the comments in src/common/d2s.c of PostgreSQL; PostgreSQL's manual, "Floating-Point Types".
 */

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
/** Six decimal places below this are at most fifteen digits, and fifteen digits always come back from a double. */
const PLAIN_LIMIT = 1e9;
const PLAIN_PLACES = 6;
const PLAIN_SCALE = 10 ** PLAIN_PLACES;
/** Only from here on can a number that lies exactly between two doubles have so few digits as to be printed. */
const EXACT_INTEGER_LIMIT = 2 ** 53;
/**
 * Between these a float4 has at most nine digits in twelve decimal places, and its 25 bits times a power of ten up to
 * 10^12 (28 bits and zeros) is exact in a double.
 */
const SCALED_FLOAT4_FROM = 1e-3;
const SCALED_FLOAT4_BELOW = 2 ** 24;
const SCALED_FLOAT4_PLACES = 12;
const POWERS_OF_TEN = Float64Array.from({ length: SCALED_FLOAT4_PLACES + 1 }, (_, i) => 10 ** i);
const LARGEST_FLOAT4_BITS = 0x7f7fffff;
/** Enough to tell whether anything follows a half. */
const EXACT_DIGITS = 60;
/** Digits that always suffice to tell a float4 from its neighbours. */
const FLOAT4_DIGITS = 9;

const doubles = new Float64Array(1);
const floats = new Float32Array(1);
const doubleWords = new Int32Array(doubles.buffer);
const floatWords = new Int32Array(floats.buffer);
const HIGH_WORD = endianness() === 'LE' ? 1 : 0;

export const writeFloat8: ValueWriter = (source, at, target, position) => {
  doubleWords[HIGH_WORD] = readInt4(source, at);
  doubleWords[1 - HIGH_WORD] = readInt4(source, at + 4);
  const value = doubles[0] as number;
  if (!Number.isFinite(value)) return UNREPRESENTABLE;
  return writeSigned(target, position, value, writeSize8);
};

export const writeFloat4: ValueWriter = (source, at, target, position) => {
  floatWords[0] = readInt4(source, at);
  const value = floats[0] as number;
  if (!Number.isFinite(value)) return UNREPRESENTABLE;
  return writeSigned(target, position, value, writeSize4);
};

function writeSigned(target: Buffer, position: number, value: number, writeSize: SizeWriter): number {
  // A negative zero is 0, for jsonb holds numbers as numeric.
  if (value >= 0) return writeSize(target, position, value);
  target[position] = MINUS;
  return writeSize(target, position + 1, -value);
}

type SizeWriter = (target: Buffer, position: number, size: number) => number;

function writeSize8(target: Buffer, position: number, size: number): number {
  if (size < PLAIN_LIMIT) {
    const scaled = Math.round(size * PLAIN_SCALE);
    // Dividing whole numbers rounds correctly: equal means that these decimals are the number's shortest.
    if (scaled / PLAIN_SCALE === size) return writeScaled(target, position, scaled, PLAIN_PLACES);
  }
  const isPlain = size >= 1e-6 && size < EXACT_INTEGER_LIMIT;
  return writeAscii(target, position, isPlain ? String(size) : withoutExponent(shortestFloat8(size)));
}

function writeSize4(target: Buffer, position: number, size: number): number {
  if (size === 0) return writeWhole(target, position, 0);
  floats[0] = size;
  const bits = floatWords[0] as number;
  const below = (size + float4At(bits - 1)) / 2;
  const above = bits === LARGEST_FLOAT4_BITS ? size + (size - below) : (size + float4At(bits + 1)) / 2;
  if (size >= SCALED_FLOAT4_FROM && size < SCALED_FLOAT4_BELOW) {
    for (let places = 0; places <= SCALED_FLOAT4_PLACES; places++) {
      const scaled = scaledWithin(size, below, above, POWERS_OF_TEN[places] as number);
      if (scaled !== 0) return writeScaled(target, position, scaled, places);
    }
  }
  return writeAscii(target, position, withoutExponent(shortestFloat4(size, below, above)));
}

/** The whole number next to `size * scale` if it lies between the bounds, times the scale; else 0. All of this is exact. */
function scaledWithin(size: number, below: number, above: number, scale: number): number {
  const exact = size * scale;
  const floor = Math.floor(exact);
  const half = exact - floor - 0.5;
  const nearest = half > 0 || (half === 0 && floor % 2 === 1) ? floor + 1 : floor;
  if (nearest > below * scale) return nearest < above * scale ? nearest : 0;
  // At a power of two there is more room above than below.
  return nearest + 1 < above * scale ? nearest + 1 : 0;
}

/** Writes a whole number of the last of `places` decimal places, without trailing zeros behind the point. */
function writeScaled(target: Buffer, position: number, scaled: number, places: number): number {
  const scale = POWERS_OF_TEN[places] as number;
  const whole = Math.floor(scaled / scale);
  const to = writeWhole(target, position, whole);
  let fraction = scaled - whole * scale;
  if (fraction === 0) return to;
  target[to] = POINT;
  let end = to + 1 + places;
  while (fraction % 10 === 0) {
    fraction /= 10;
    end--;
  }
  for (let i = end - 1; i > to; i--) {
    const next = Math.floor(fraction / 10);
    target[i] = ZERO + fraction - next * 10;
    fraction = next;
  }
  return end;
}

function shortestFloat8(size: number): string {
  let text = String(size);
  if (size < EXACT_INTEGER_LIMIT) return text;
  for (let digits = significantDigits(text) + 1; liesMidway(text, size); digits++)
    text = size.toPrecision(digits);
  return text;
}

/** Whether a decimal number lies exactly halfway between a double above 2^53 and one of its neighbours. */
function liesMidway(text: string, size: number): boolean {
  const [mantissa = '', exponent = '0'] = text.split('e+');
  if (Number(exponent) > 40) return false;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const decimal = BigInt((whole + fraction).padEnd(1 + Number(exponent), '0'));
  const distance = decimal - BigInt(size);
  return distance !== 0n && BigInt(neighbour(size, distance > 0n)) - BigInt(size) === distance * 2n;
}

function neighbour(size: number, upwards: boolean): number {
  doubles[0] = size;
  const words = new BigInt64Array(doubles.buffer);
  words[0] = (words[0] as bigint) + (upwards ? 1n : -1n);
  return doubles[0];
}

function significantDigits(text: string): number {
  return text.replace(/e.*$/, '').replace('.', '').replace(/0+$/, '').length;
}

function shortestFloat4(size: number, below: number, above: number): string {
  for (let digits = 1; digits < FLOAT4_DIGITS; digits++) {
    const nearest = nearestDecimal(size, digits);
    // At a power of two there is more room above than below.
    const candidate = Number(nearest) > below ? nearest : nextDecimal(nearest);
    if (Number(candidate) < above) return candidate;
  }
  return size.toPrecision(FLOAT4_DIGITS);
}

/** Rounds to so many digits; a half to even, as PostgreSQL does, where toPrecision rounds it up. */
function nearestDecimal(size: number, digits: number): string {
  const [mantissa = '', exponent] = size.toExponential(EXACT_DIGITS).split('e');
  const rest = mantissa.slice(digits + 1);
  const isHalf = digits > 1 && /^50*$/.test(rest);
  const isEven = Number(mantissa.at(digits)) % 2 === 0;
  return isHalf && isEven ? `${mantissa.slice(0, digits + 1)}e${exponent}` : size.toPrecision(digits);
}

function float4At(bits: number): number {
  floatWords[0] = bits;
  return floats[0] as number;
}

/** The next larger decimal number of as many digits. */
function nextDecimal(text: string): string {
  const [mantissa = '', exponent] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = String(BigInt(whole + fraction) + 1n).padStart(whole.length + fraction.length, '0');
  const point = digits.length - fraction.length;
  return `${digits.slice(0, point)}.${digits.slice(point)}e${exponent ?? 0}`;
}

/** Writes a positive number out in full: `1.5e-7` as `0.00000015`, and without trailing zeros behind the point. */
function withoutExponent(text: string): string {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return trimmed(`0.${'0'.repeat(-point)}${digits}`);
  if (point >= digits.length) return digits.padEnd(point, '0');
  return trimmed(`${digits.slice(0, point)}.${digits.slice(point)}`);
}

function trimmed(decimal: string): string {
  return decimal.replace(/\.?0+$/, '');
}
