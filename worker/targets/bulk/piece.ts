import type { Key } from '../../../definition/key/key-kind.ts';
import type { Batch } from '../batch.ts';

/**
 * A stretch of a batch that is sent as one request: at first the whole batch, then halves of it, or what is left of it.
 * Items are never copied elsewhere; those to be sent again are moved together within the piece's own bytes.
 */
export interface Piece {
  readonly batch: Batch;
  /** Position of the first item in the batch. */
  readonly first: number;
  readonly count: number;
  /** Where the last item ends in the batch's buffer. */
  readonly endByte: number;
  /** Tries in a row without any item settled, for the pause before the next. */
  failures: number;
  /** Whole-request resets and refusals since it was last halved. */
  repeats: number;
  /** Responses that did not match. */
  mismatches: number;
  /** What is known of its items where each of them failed with 5xx the last time; null: not so. */
  doubt: PieceDoubt | null;
}

export interface PieceDoubt {
  /** Tries in a row. */
  readonly tries: number;
  /** How many documents of the task the cluster had taken at the last. */
  readonly takenAtLast: number;
}

export function wholeOf(batch: Batch): Piece {
  return piece(batch, 0, batch.items, batch.length);
}

function piece(batch: Batch, first: number, count: number, endByte: number): Piece {
  return { batch, first, count, endByte, failures: 0, repeats: 0, mismatches: 0, doubt: null };
}

export function bytesOf(part: Piece): number {
  return part.endByte - part.batch.itemStart(part.first);
}

/** The request body: a view, not a copy. */
export function bodyOf(part: Piece): Buffer {
  return part.batch.buffer.subarray(part.batch.itemStart(part.first), part.endByte);
}

/** Both halves in order; they keep the count of failures, for the cluster did not become well by halving. */
export function halvesOf(part: Piece): [Piece, Piece] {
  const half = part.count >> 1;
  const middle = part.first + half;
  const left = piece(part.batch, part.first, half, part.batch.itemStart(middle));
  const right = piece(part.batch, middle, part.count - half, part.endByte);
  left.failures = right.failures = part.failures;
  return [left, right];
}

/** Moves the items at these positions (rising, within the piece) to its front and gives the piece that they make. */
export function keepOnly(part: Piece, positions: readonly number[]): Piece {
  const { batch, first } = part;
  let end = batch.itemStart(first);
  for (const [to, from] of positions.entries()) {
    const start = batch.itemStart(first + from);
    const stop = itemEnd(part, from);
    batch.buffer.copyWithin(end, start, stop);
    batch.offsets[first + to] = end;
    batch.keys.move(first + from, first + to);
    end += stop - start;
  }
  const rest = piece(batch, first, positions.length, end);
  rest.failures = part.failures;
  return rest;
}

/** Some neighbouring items of a piece as a piece of their own. */
export function partOf(part: Piece, position: number, count: number): Piece {
  const first = part.first + position;
  return piece(part.batch, first, count, itemEnd(part, position + count - 1));
}

export function keyAt(part: Piece, position: number): Key {
  if (position >= part.count) throw new RangeError(`no item at ${position} of a piece of ${part.count}`);
  return part.batch.keys.at(part.first + position);
}

/** The document line of an item, without its newline, as text. */
export function documentAt(part: Piece, position: number): string {
  const start = part.batch.itemStart(part.first + position);
  const item = part.batch.buffer.subarray(start, itemEnd(part, position));
  return item.toString('utf8', item.indexOf(0x0a) + 1, item.length - 1);
}

function itemEnd(part: Piece, position: number): number {
  return position + 1 < part.count ? part.batch.itemStart(part.first + position + 1) : part.endByte;
}
