import { readOutcomes, type Sent } from './outcomes.ts';

/**
 * Nearly every response says the same of each item: stored. Parsing it would make some ten thousand objects only to
 * throw them away, so this reads the first item as JSON and then holds the bytes of each other one against it.
 */

const ITEMS = Buffer.from('"items":[');
const BETWEEN_ITEMS = Buffer.from('}},{');
const ID = '"_id":"';
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
/** An integer of so many characters, its sign among them, is exact in a number. */
const MAX_KEY_LENGTH = 15;

/**
 * Whether the response says of exactly the items that were sent, in order, that all were stored in the same way.
 * False says nothing: then it is to be parsed.
 */
export function allStoredAlike(response: Buffer, sent: Sent): boolean {
  const found = response.indexOf(ITEMS);
  if (found < 0 || sent.count < 2) return false;
  const start = found + ITEMS.length;
  const between = response.indexOf(BETWEEN_ITEMS, start);
  if (between < 0) return false;
  const item = response.toString('latin1', start, between + 2);
  const id = String(sent.keys[sent.first]);
  const idStart = item.indexOf(ID) + ID.length;
  if (item.indexOf(ID, idStart) >= 0 || !isStored(item, sent)) return false;
  const prefix = Buffer.from(item.slice(0, idStart), 'latin1');
  const suffix = Buffer.from(item.slice(idStart + id.length), 'latin1');
  return repeats(response, start, prefix, suffix, sent);
}

/** Believed by the same rules as any response. */
function isStored(item: string, sent: Sent): boolean {
  try {
    return readOutcomes({ items: [JSON.parse(item)] }, { ...sent, count: 1 }).indexed === 1;
  } catch {
    return false;
  }
}

function repeats(response: Buffer, start: number, prefix: Buffer, suffix: Buffer, sent: Sent): boolean {
  const words = new Int32Array(sent.keys.buffer, sent.keys.byteOffset);
  let at = start;
  for (let i = 0; i < sent.count; i++) {
    if (i > 0 && response[at++] !== COMMA) return false;
    if (!holds(response, at, prefix)) return false;
    at += prefix.length;
    const length = digitsLength(response, at);
    if (length > MAX_KEY_LENGTH || readInteger(response, at, length) !== keyAt(words, sent.first + i))
      return false;
    at += length;
    if (!holds(response, at, suffix)) return false;
    at += suffix.length;
  }
  return response.toString('latin1', at).trimEnd() === ']}';
}

function holds(response: Buffer, at: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (response[at + i] !== expected[i]) return false;
  return true;
}

/** How many bytes from here on are a sign or digits. */
function digitsLength(response: Buffer, at: number): number {
  let length = response[at] === MINUS ? 1 : 0;
  for (let byte = response[at + length]; byte !== undefined && byte >= ZERO && byte <= ZERO + 9; ) {
    byte = response[at + ++length];
  }
  return length;
}

/** The integer written here in its shortest form; NaN when it is not. */
function readInteger(response: Buffer, at: number, length: number): number {
  const negative = response[at] === MINUS;
  const first = at + (negative ? 1 : 0);
  const end = at + length;
  if (first === end || (response[first] === ZERO && (negative || first + 1 < end))) return Number.NaN;
  let value = 0;
  for (let i = first; i < end; i++) value = value * 10 + (response[i] ?? 0) - ZERO;
  return negative ? -value : value;
}

/** A key from its two words, without making a bigint of it; exact within `MAX_KEY_LENGTH`. */
function keyAt(words: Int32Array, position: number): number {
  return (words[2 * position + 1] ?? 0) * 2 ** 32 + ((words[2 * position] ?? 0) >>> 0);
}
