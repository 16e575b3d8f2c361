import { joinInt8, readInt4, readUint4, writeAscii, writeInt8, writeWhole } from './bytes.ts';

/** Longer than any action line: an id of 20 characters, a version of 19, and the words around them. */
export const MAX_ACTION_LINE_BYTES = 128;

const MAX_VERSION = 2n ** 63n - 1n;
/** PostgreSQL counts microseconds from 2000-01-01, versions from 1970-01-01. */
const EPOCH_OFFSET_MICROS = 946_684_800_000_000;

const HEAD = '{"index":{"_id":"';
const TAIL = '"}}\n';
const VERSION = '","version":';
const VERSION_TAIL = ',"version_type":"external_gte"}}\n';

/** Why a `changed_at` cannot be a version. */
export type UnusableVersion = 'null' | 'infinite' | 'before 1970' | 'beyond what a version can hold';

/** Writes the action line of a document without a version. */
export function writeAction(target: Buffer, position: number, keyHigh: number, keyLow: number): number {
  const to = writeInt8(target, writeAscii(target, position, HEAD), keyHigh, keyLow);
  return writeAscii(target, to, TAIL);
}

/** Writes the action line of a document whose `changed_at` stands at `source[at]` and is usable. */
export function writeVersionedAction(
  target: Buffer,
  position: number,
  keyHigh: number,
  keyLow: number,
  source: Buffer,
  at: number,
): number {
  let to = writeInt8(target, writeAscii(target, position, HEAD), keyHigh, keyLow);
  to = writeAscii(target, to, VERSION);
  const version = versionOf(source, at);
  to =
    typeof version === 'number'
      ? writeWhole(target, to, version)
      : writeAscii(target, to, version.toString());
  return writeAscii(target, to, VERSION_TAIL);
}

/**
 * Whether the timestamp at `source[at]` can be a document's version: a whole number of microseconds from 0 up to the
 * largest long. Null: it can.
 */
export function unusableVersion(source: Buffer, at: number, length: number): UnusableVersion | null {
  if (length < 0) return 'null';
  const high = readInt4(source, at);
  const low = readUint4(source, at + 4);
  if ((high === 0x7fffffff && low === 0xffffffff) || (high === -0x80000000 && low === 0)) return 'infinite';
  const version = versionOf(source, at);
  if (version < 0) return 'before 1970';
  return version > MAX_VERSION ? 'beyond what a version can hold' : null;
}

function versionOf(source: Buffer, at: number): number | bigint {
  const high = readInt4(source, at);
  const low = readUint4(source, at + 4);
  const version = high * 0x100000000 + low + EPOCH_OFFSET_MICROS;
  return Number.isSafeInteger(version) ? version : joinInt8(high, low) + BigInt(EPOCH_OFFSET_MICROS);
}
