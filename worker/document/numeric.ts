import { readInt2, readUint2, writePadded, writeSmall } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter } from './value-writer.ts';

/**
 * numeric on the wire: the number of base-10000 digits, the weight of the first (in powers of 10000), the sign, the
 * number of decimal places to show, then the digits, 16 bits each.
 * Source: numeric_send in src/backend/utils/adt/numeric.c of PostgreSQL.
 */
const HEADER_BYTES = 8;
const DIGITS_PER_GROUP = 4;
const NEGATIVE = 0x4000;
/** From here on the sign says NaN or an infinity. */
const SPECIAL = 0xc000;

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Writes every digit that the value has, with its trailing zeros, as PostgreSQL prints it. */
export const writeNumeric: ValueWriter = (source, at, target, position) => {
  const sign = readUint2(source, at + 4);
  if (sign >= SPECIAL) return UNREPRESENTABLE;
  const weight = readInt2(source, at + 2);
  const places = readUint2(source, at + 6);
  const longest = 3 + Math.max(weight + 1, 1) * DIGITS_PER_GROUP + places;
  // A few bytes may stand for 131,072 digits: look first whether they fit.
  if (position + longest > target.length) return position + longest;
  let to = position;
  if (sign === NEGATIVE) target[to++] = MINUS;
  to = writeInteger(source, at, target, to);
  return places === 0 ? to : writeFraction(source, at, target, to);
};

function writeInteger(source: Buffer, at: number, target: Buffer, position: number): number {
  const weight = readInt2(source, at + 2);
  if (weight < 0) {
    target[position] = ZERO;
    return position + 1;
  }
  let to = writeSmall(target, position, group(source, at, 0));
  for (let i = 1; i <= weight; i++) to = writePadded(target, to, group(source, at, i), DIGITS_PER_GROUP);
  return to;
}

function writeFraction(source: Buffer, at: number, target: Buffer, position: number): number {
  const weight = readInt2(source, at + 2);
  const places = readUint2(source, at + 6);
  target[position] = POINT;
  const end = position + 1 + places;
  let to = position + 1;
  for (let i = weight + 1; to < end; i++) {
    const digits = group(source, at, i);
    const left = end - to;
    to =
      left >= DIGITS_PER_GROUP
        ? writePadded(target, to, digits, DIGITS_PER_GROUP)
        : writePadded(target, to, Math.floor(digits / 10 ** (DIGITS_PER_GROUP - left)), left);
  }
  return end;
}

/** The i-th group of four digits, counted from the first that is sent; zero outside of them. */
function group(source: Buffer, at: number, i: number): number {
  return i >= 0 && i < readUint2(source, at) ? readUint2(source, at + HEADER_BYTES + i * 2) : 0;
}
