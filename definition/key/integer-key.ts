import type { Key, KeyKind } from './key-kind.ts';

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;
const LONGEST_TEXT = String(LEAST).length;
/** A share of a distance is rounded to this many parts of it. */
const PARTS = 1_000_000;

/** PostgreSQL's integers. All are read as the widest type, so that one form serves the three. */
export const INTEGER_KEY: KeyKind = {
  name: 'integer',
  columnTypes: ['smallint', 'integer', 'bigint'],
  sqlType: 'int8',
  sqlHash: 'hashint8',
  form: `a decimal integer in a string, from ${LEAST} to ${GREATEST}`,
  least: LEAST,
  recognisable: { start: -1_234_567_890_123_456_789n, end: 1_234_567_890_123_456_789n },
  mapping: { type: 'long' },

  parse(text) {
    if (text.length > LONGEST_TEXT || !/^(?:0|-?[1-9]\d*)$/.test(text)) return null;
    const key = BigInt(text);
    return key < LEAST || key > GREATEST ? null : key;
  },
  format: String,
  compare(a, b) {
    const left = integer(a);
    const right = integer(b);
    return left < right ? -1 : left > right ? 1 : 0;
  },
  after(key) {
    return key === GREATEST ? null : integer(key) + 1n;
  },
  between(start, end, share) {
    const from = integer(start);
    const to = integer(end);
    if (to - from < 2n) return null;
    const at = from + ((to - from) * BigInt(Math.round(share * PARTS))) / BigInt(PARTS);
    return at <= from ? from + 1n : at >= to ? to - 1n : at;
  },
  distance: (start, end) => Number(integer(end) - integer(start)),
  documentId: String,
  json: String,
};

function integer(key: Key): bigint {
  if (typeof key === 'bigint') return key;
  throw new TypeError(`an integer key is needed, but the text "${key}" was given`);
}
