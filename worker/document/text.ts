import { endOfValue, type ValueWriter } from './value-writer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
/** From here on it pays to look for characters to escape first and to copy natively then (measured). */
const SCAN_FIRST_BYTES = 128;

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
    end - at >= SCAN_FIRST_BYTES && isPlain(source, at, end)
      ? copyValue(source, at, target, position + 1)
      : writeEscaped(source, at, target, position + 1);
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

function isPlain(source: Buffer, at: number, end: number): boolean {
  let i = at;
  const last = end - 3;
  while (i < last) {
    const four =
      (PLAIN[source[i] as number] as number) &
      (PLAIN[source[i + 1] as number] as number) &
      (PLAIN[source[i + 2] as number] as number) &
      (PLAIN[source[i + 3] as number] as number);
    if (four === 0) return false;
    i += 4;
  }
  while (i < end && PLAIN[source[i] as number] === 1) i++;
  return i === end;
}

/** Four bytes at a time as long as none of them wants an escape. */
function writeEscaped(source: Buffer, at: number, target: Buffer, position: number): number {
  const end = endOfValue(source, at);
  let i = at;
  let to = position;
  const last = end - 3;
  while (i < end) {
    while (i < last) {
      const a = source[i] as number;
      const b = source[i + 1] as number;
      const c = source[i + 2] as number;
      const d = source[i + 3] as number;
      if (((PLAIN[a] as number) & (PLAIN[b] as number) & (PLAIN[c] as number) & (PLAIN[d] as number)) === 0)
        break;
      target[to] = a;
      target[to + 1] = b;
      target[to + 2] = c;
      target[to + 3] = d;
      i += 4;
      to += 4;
    }
    // One of these four wants an escape, or the text ends.
    for (const stop = Math.min(end, i + 4); i < stop; ) {
      const byte = source[i++] as number;
      if (PLAIN[byte] === 0) {
        to = writeEscape(byte, target, to);
        break;
      }
      target[to++] = byte;
    }
  }
  return to;
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
