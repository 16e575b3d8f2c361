import type { UnusableChangedAt } from '../../../definition/definition.ts';
import { joinInt8, readInt4, readUint4, writeAscii, writeWhole } from '../../document/bytes.ts';
import type { Row } from '../../source/row.ts';
import { type Framing, type FramingFault, UNUSABLE } from '../target.ts';

/** The words of an action line with a version, 20 characters each for that and the id, and the newlines. */
const MOST_BYTES = 128;

const MAX_VERSION = 2n ** 63n - 1n;
/** PostgreSQL counts microseconds from 2000-01-01, versions from 1970-01-01. */
const EPOCH_OFFSET_MICROS = 946_684_800_000_000;

const HEAD = '{"index":{"_id":"';
const TAIL = '"}}\n';
const VERSION = '","version":';
const VERSION_TAIL = ',"version_type":"external_gte"}}\n';
const NEWLINE = 0x0a;

/** The lowest external version. Any time after 1970 is above it. */
const LOWEST_VERSION = 0;

/** Two lines for a document, as `_bulk` takes them: what is to be done, with the external version if there is one, and the document. */
export class BulkFraming implements Framing {
  readonly mostBytes = MOST_BYTES;
  readonly #versioned: boolean;
  readonly #buriesUnusable: boolean;

  /** @param unusable what becomes of a row whose `changed_at` cannot be a version */
  constructor(versioned: boolean, unusable: UnusableChangedAt = 'dead_letter') {
    this.#versioned = versioned;
    this.#buriesUnusable = unusable === 'dead_letter';
  }

  begin(row: Row, target: Buffer, position: number): number {
    const isUnusable = this.#versioned && unusableVersion(row) !== null;
    if (isUnusable && this.#buriesUnusable) return UNUSABLE;
    const to = row.key.writeId(target, writeAscii(target, position, HEAD));
    if (!this.#versioned) return writeAscii(target, to, TAIL);
    return writeVersion(isUnusable ? LOWEST_VERSION : versionOf(row.source, row.changedAtAt), target, to);
  }

  end(target: Buffer, position: number): number {
    target[position] = NEWLINE;
    return position + 1;
  }

  faultOf(row: Row): FramingFault {
    return { type: 'changed_at_unusable', reason: `changed_at is ${unusableVersion(row)}.` };
  }
}

/** Room that a batch has beside its largest document: twice what the framing takes. */
export const BULK_FRAMING_BYTES = 2 * MOST_BYTES;

/** Why a `changed_at` cannot be a version. */
type UnusableVersion = 'null' | 'infinite' | 'before 1970' | 'beyond what a version can hold';

function writeVersion(version: number | bigint, target: Buffer, position: number): number {
  let to = writeAscii(target, position, VERSION);
  to =
    typeof version === 'number'
      ? writeWhole(target, to, version)
      : writeAscii(target, to, version.toString());
  return writeAscii(target, to, VERSION_TAIL);
}

/**
 * Whether the row's `changed_at` can be a document's version: a whole number of microseconds from 0 up to the largest
 * long. Null: it can.
 */
function unusableVersion({ source, changedAtAt: at, changedAtLength }: Row): UnusableVersion | null {
  if (changedAtLength < 0) return 'null';
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
