import { endOfValue, type ValueWriter } from './value-writer.ts';
import { sourceWords, targetWords, WORD_BYTES } from './words.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
/** No text grows more than this: a control character becomes six. */
const MOST_GROWTH = 6;
/** The quotes, and a word that is written as a whole though it is not all wanted. */
const MARGIN_BYTES = 2 + WORD_BYTES;

/** Copies shorter than this are faster in a loop than through a call into native code (measured). */
const NATIVE_COPY_BYTES = 64;

const HEX = Buffer.from('0123456789abcdef');

/** 1 for bytes that stand in a JSON string as they are. */
const PLAIN = new Uint8Array(256).fill(1, SPACE);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** What stands behind the backslash for the characters that have a short escape; 0 for the others. */
const SHORT_ESCAPE = new Uint8Array(256);
for (const [character, escape] of ['\bb', '\ff', '\nn', '\rr', '\tt', '""', '\\\\']) {
  SHORT_ESCAPE[(character as string).charCodeAt(0)] = (escape as string).charCodeAt(0);
}

/** A text as a JSON string, escaped as `to_jsonb` does. */
export const writeText: ValueWriter = (source, at, target, position) => {
  const end = endOfValue(source, at);
  target[position] = QUOTE;
  const closing =
    position + (end - at) * MOST_GROWTH + MARGIN_BYTES <= target.length
      ? writeInWords(source, at, target, position + 1)
      : writeInBytes(source, at, target, position + 1);
  target[closing] = QUOTE;
  return closing + 1;
};

/** The text of a json column as it was written, but on one line: between its tokens any blank is as good as another. */
export const writeJson: ValueWriter = (source, at, target, position) => {
  const behind = copyValue(source, at, target, position);
  const last = Math.min(behind, target.length);
  for (let i = position; i < last; i++) {
    const byte = target[i];
    if (byte === NEWLINE || byte === CARRIAGE_RETURN) target[i] = SPACE;
  }
  return behind;
};

/** jsonb comes as a version byte, always 1 today, and its text, which never holds a newline. */
export const writeJsonb: ValueWriter = (source, at, target, position) => {
  if (source[at] !== 1)
    throw new Error(`PostgreSQL sent jsonb in version ${source[at]}; only version 1 is known.`);
  const end = endOfValue(source, at);
  if (end - at > NATIVE_COPY_BYTES) {
    if (position < target.length) source.copy(target, position, at + 1, end);
  } else {
    for (let i = at + 1, to = position; i < end; i++, to++) target[to] = source[i] as number;
  }
  return position + end - at - 1;
};

export const writeUuid: ValueWriter = (source, at, target, position) => {
  const end = endOfValue(source, at);
  let to = position;
  target[to++] = QUOTE;
  for (let i = at; i < end; i++) {
    const byte = source[i] as number;
    target[to++] = HEX[byte >> 4] as number;
    target[to++] = HEX[byte & 15] as number;
    const written = i - at;
    if (written === 3 || written === 5 || written === 7 || written === 9) target[to++] = 0x2d;
  }
  target[to++] = QUOTE;
  return to;
};

/**
 * Four bytes at a time, where there is room for all of them with their escapes: half the time that it takes to look at
 * each byte (measured). Only the lowest of a word's marks counts, for those above it may be carries.
 */
function writeInWords(source: Buffer, at: number, target: Buffer, position: number): number {
  const from = sourceWords(source);
  const into = targetWords(target);
  const end = endOfValue(source, at);
  let i = at;
  let to = position;
  while (i < end) {
    // Nothing else stands in the inner loop, so that it is compiled to little more than its arithmetic.
    for (const last = end - WORD_BYTES; i <= last; i += WORD_BYTES, to += WORD_BYTES) {
      const word = from.getInt32(i, true);
      into.setInt32(to, word, true);
      if (hasEscape(word)) break;
    }
    // One of these wants an escape, or the text ends.
    for (const stop = Math.min(end, i + WORD_BYTES); i < stop; ) {
      const byte = source[i++] as number;
      to = writeByte(byte, target, to);
      if (PLAIN[byte] === 0) break;
    }
  }
  return to;
}

/** Byte by byte: what lies past the end of the target is left out. */
function writeInBytes(source: Buffer, at: number, target: Buffer, position: number): number {
  const end = endOfValue(source, at);
  let to = position;
  for (let i = at; i < end; i++) to = writeByte(source[i] as number, target, to);
  return to;
}

function writeByte(byte: number, target: Buffer, position: number): number {
  if (PLAIN[byte] === 0) return writeEscape(byte, target, position);
  target[position] = byte;
  return position + 1;
}

/**
 * Whether one of a word's bytes wants an escape: a control character, a quote or a backslash.
 * Source: Sean Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
 */
function hasEscape(word: number): boolean {
  const controls = word - 0x20202020;
  const quotes = (word ^ 0x22222222) - 0x01010101;
  const backslashes = (word ^ 0x5c5c5c5c) - 0x01010101;
  return ((controls | quotes | backslashes) & ~word & 0x80808080) !== 0;
}

function writeEscape(byte: number, target: Buffer, position: number): number {
  target[position] = BACKSLASH;
  const short = SHORT_ESCAPE[byte] as number;
  if (short !== 0) {
    target[position + 1] = short;
    return position + 2;
  }
  target[position + 1] = 0x75;
  target[position + 2] = 0x30;
  target[position + 3] = 0x30;
  target[position + 4] = HEX[byte >> 4] as number;
  target[position + 5] = HEX[byte & 15] as number;
  return position + 6;
}

/** Copies the value as it is. */
function copyValue(source: Buffer, at: number, target: Buffer, position: number): number {
  const end = endOfValue(source, at);
  if (end - at >= NATIVE_COPY_BYTES) {
    if (position < target.length) source.copy(target, position, at, end);
  } else {
    for (let i = at, to = position; i < end; i++, to++) target[to] = source[i] as number;
  }
  return position + end - at;
}
