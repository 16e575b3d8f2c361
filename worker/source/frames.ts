import { DatabaseError } from 'pg';
import { readInt2, readInt4, readUint4 } from '../document/bytes.ts';
import type { KeyBytes } from '../key/key-bytes.ts';
import { TaskFailure } from '../task-failure.ts';

/**
 * Finds the rows in what PostgreSQL sends for `COPY … TO STDOUT (FORMAT binary)`. Pure: it is fed with what came from
 * the socket, in pieces of any size, and asked for what comes next, so that its caller may stop in the middle.
 * A row that lies within a piece is not copied, and nothing is allocated for it; one that spans pieces is put together
 * in a buffer that is used again; of one over the limit only its beginning is kept.
 * Source: PostgreSQL's manual, "Message Formats", "COPY Operations", and "Binary Format" of COPY.
 */

export interface FrameLimits {
  /** Columns that each row must have. */
  readonly columns: number;
  /** Rows over this many bytes are `oversized`. */
  readonly maxRowBytes: number;
  /** Of an oversized row so many bytes are kept. */
  readonly headBytes: number;
  /** What each row's first column is. */
  readonly keys: KeyBytes;
}

/**
 * `row`, `oversized`: it stands in `bytes[start, end)` until the next call, of an oversized one only its beginning.
 * `more`: feed the next piece. `ready`: the command is complete. `error`: see `error`.
 */
export type FrameEvent = 'row' | 'oversized' | 'more' | 'ready' | 'error';

const MESSAGE = {
  copyOutResponse: 0x48,
  copyData: 0x64,
  copyDone: 0x63,
  commandComplete: 0x43,
  readyForQuery: 0x5a,
  errorResponse: 0x45,
  noticeResponse: 0x4e,
  parameterStatus: 0x53,
  notificationResponse: 0x41,
} as const;

/** The type byte and the length, which counts itself. */
const HEADER_BYTES = 5;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Signature, flags, length of the header's extension. */
const FILE_HEADER_BYTES = 19;
const TRAILER = -1;
const COUNT_BYTES = 2;
/** No other message of a COPY is anywhere near this. */
const MAX_OTHER_MESSAGE_BYTES = 1024 * 1024;
const FIRST_CARRY_BYTES = 64 * 1024;

export class CopyFrames {
  /** Where the row of the last event stands. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** How long that row is in truth. */
  rowBytes = 0;
  error: DatabaseError | null = null;
  rows = 0;

  readonly #limits: FrameLimits;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The beginning of a message that spans pieces. */
  #carry: Buffer = Buffer.alloc(0);
  #carried = 0;
  /** Bytes of a message over the limit that are still to come and not kept. */
  #skip = 0;
  #state: 'begin' | 'header' | 'rows' | 'trailer' | 'done' | 'complete' = 'begin';

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** The next piece from the socket; the one before must be used up (`more`). */
  feed(piece: Buffer): void {
    this.#piece = piece;
    this.#at = 0;
  }

  /** What comes next. Throws when it is not what the protocol allows in a COPY. */
  next(): FrameEvent {
    for (;;) {
      const event = this.#carried === 0 && this.#skip === 0 ? this.#nextWithin() : this.#nextSpanning();
      if (event !== null) return event;
    }
  }

  /** The next message if the piece holds all of it; null: it was none that matters. */
  #nextWithin(): FrameEvent | null {
    const piece = this.#piece;
    const at = this.#at;
    const left = piece.length - at;
    if (left < HEADER_BYTES) return this.#carryHeader();
    const messageBytes = messageLength(piece, at);
    if (left < messageBytes) return this.#carryHeader();
    this.#at = at + messageBytes;
    return this.#message(piece, at, messageBytes, at + messageBytes);
  }

  #carryHeader(): FrameEvent | null {
    if (this.#at === this.#piece.length) return 'more';
    this.#take(HEADER_BYTES);
    return null;
  }

  #nextSpanning(): FrameEvent | null {
    if (this.#carried < HEADER_BYTES) this.#take(HEADER_BYTES - this.#carried);
    if (this.#carried < HEADER_BYTES) return 'more';
    const messageBytes = messageLength(this.#carry, 0);
    const keptBytes = this.#keptOf(this.#carry[0] as number, messageBytes);
    if (this.#carried < keptBytes) {
      this.#take(keptBytes - this.#carried);
      if (this.#carried < keptBytes) return 'more';
      this.#skip = messageBytes - keptBytes;
    }
    const skipped = Math.min(this.#skip, this.#piece.length - this.#at);
    this.#skip -= skipped;
    this.#at += skipped;
    if (this.#skip > 0) return 'more';
    this.#carried = 0;
    return this.#message(this.#carry, 0, messageBytes, keptBytes);
  }

  #keptOf(type: number, messageBytes: number): number {
    if (messageBytes <= HEADER_BYTES + FILE_HEADER_BYTES + this.#limits.maxRowBytes) return messageBytes;
    if (type === MESSAGE.copyData)
      return Math.min(messageBytes, HEADER_BYTES + FILE_HEADER_BYTES + this.#limits.headBytes);
    if (messageBytes > MAX_OTHER_MESSAGE_BYTES)
      throw unexpected(`a message of ${messageBytes} bytes and type ${type}`);
    return messageBytes;
  }

  /** Moves so many bytes of the piece to the carry, or as many as there are. */
  #take(wanted: number): void {
    const bytes = Math.min(wanted, this.#piece.length - this.#at);
    const needed = this.#carried + bytes;
    if (needed > this.#carry.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_CARRY_BYTES, needed, this.#carry.length * 2));
      this.#carry.copy(grown, 0, 0, this.#carried);
      this.#carry = grown;
    }
    this.#piece.copy(this.#carry, this.#carried, this.#at, this.#at + bytes);
    this.#carried = needed;
    this.#at += bytes;
  }

  #message(bytes: Buffer, at: number, messageBytes: number, keptEnd: number): FrameEvent | null {
    const type = bytes[at];
    if (type === MESSAGE.copyData)
      return this.#copyData(bytes, at + HEADER_BYTES, at + messageBytes, keptEnd);
    const body = bytes.subarray(at + HEADER_BYTES, keptEnd);
    switch (type) {
      case MESSAGE.noticeResponse:
      case MESSAGE.parameterStatus:
      case MESSAGE.notificationResponse:
        return null;
      case MESSAGE.errorResponse:
        this.error = parseError(body);
        return 'error';
      case MESSAGE.copyOutResponse:
        this.#advance('begin', 'header', type);
        this.#checkFormat(body);
        return null;
      case MESSAGE.copyDone:
        this.#advance('trailer', 'done', type);
        return null;
      case MESSAGE.commandComplete:
        this.#advance('done', 'complete', type);
        this.#checkCount(body);
        return null;
      case MESSAGE.readyForQuery:
        this.#advance('complete', 'begin', type);
        return 'ready';
      default:
        throw unexpected(`a message of type ${type}`);
    }
  }

  #advance(from: string, to: 'header' | 'done' | 'complete' | 'begin', type: number): void {
    if (this.#state !== from)
      throw unexpected(`a message of type "${String.fromCharCode(type)}" out of turn`);
    this.#state = to;
  }

  #copyData(bytes: Buffer, at: number, end: number, keptEnd: number): FrameEvent | null {
    let start = at;
    if (this.#state !== 'rows') {
      if (this.#state !== 'header') throw unexpected('a row out of turn');
      start = fileHeaderEnd(bytes, at, keptEnd);
      this.#state = 'rows';
      if (start === end) return null;
    }
    const columns = readInt2(bytes, start);
    if (columns === TRAILER && end - start === 2) {
      this.#state = 'trailer';
      return null;
    }
    if (columns !== this.#limits.columns)
      throw unexpected(`a row of ${columns} columns instead of ${this.#limits.columns}`);
    if (!this.#limits.keys.standsAt(bytes, start + COUNT_BYTES, keptEnd))
      throw unexpected('a row without its key');
    this.bytes = bytes;
    this.start = start;
    this.end = keptEnd;
    this.rowBytes = end - start;
    this.rows++;
    return this.rowBytes > this.#limits.maxRowBytes ? 'oversized' : 'row';
  }

  #checkFormat(body: Buffer): void {
    if (body[0] !== 1 || readInt2(body, 1) !== this.#limits.columns)
      throw unexpected('another format of COPY');
  }

  #checkCount(body: Buffer): void {
    const tag = body.toString('latin1', 0, body.length - 1);
    if (tag !== `COPY ${this.rows}`) throw unexpected(`"${tag}" after ${this.rows} rows`);
  }
}

function messageLength(bytes: Buffer, at: number): number {
  const length = readUint4(bytes, at + 1);
  if (length < HEADER_BYTES - 1) throw unexpected('a message without a length');
  return length + 1;
}

function fileHeaderEnd(bytes: Buffer, at: number, end: number): number {
  const complete =
    end - at >= FILE_HEADER_BYTES &&
    bytes.compare(SIGNATURE, 0, SIGNATURE.length, at, at + SIGNATURE.length) === 0;
  if (!complete || readInt4(bytes, at + 11) !== 0 || readInt4(bytes, at + 15) !== 0) {
    throw unexpected('another header of the binary format');
  }
  return at + FILE_HEADER_BYTES;
}

/** ErrorResponse: fields of a type byte and a string each. */
function parseError(body: Buffer): DatabaseError {
  const fields = new Map<string, string>();
  for (const field of body.toString('utf8').split('\0')) fields.set(field.slice(0, 1), field.slice(1));
  const error = new DatabaseError(fields.get('M') ?? 'error without a message', body.length, 'error');
  error.code = fields.get('C');
  error.severity = fields.get('V') ?? fields.get('S');
  error.detail = fields.get('D');
  error.hint = fields.get('H');
  error.where = fields.get('W');
  error.routine = fields.get('R');
  return error;
}

function unexpected(what: string): TaskFailure {
  return new TaskFailure('retry', 'unexpected_protocol', `PostgreSQL sent ${what} in the middle of a COPY.`);
}
