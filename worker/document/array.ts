import { readInt4 } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter, writeNull } from './value-writer.ts';

/**
 * Arrays come as the number of dimensions, flags, the elements' type, then length and lower bound of each dimension,
 * then all elements in order, each with its length (-1: null). Lower bounds say nothing in JSON.
 * Source: array_send in src/backend/utils/adt/arrayfuncs.c of PostgreSQL.
 */
const HEADER_BYTES = 12;
const DIMENSION_BYTES = 8;

const OPENING = 0x5b;
const CLOSING = 0x5d;
const COMMA = 0x2c;

/** Makes the writer of an array out of that of its elements. */
export function arrayWriter(writeElement: ValueWriter, nullElements: boolean): ValueWriter {
  let at = 0;

  const writeNext = (source: Buffer, target: Buffer, position: number): number => {
    const length = readInt4(source, at);
    at += 4;
    if (length < 0) return writeNull(target, position);
    const end = at + length;
    const next = writeElement(source, at, end, target, position);
    at = end;
    return next === UNREPRESENTABLE && nullElements ? writeNull(target, position) : next;
  };

  const writeLevel = (
    source: Buffer,
    lengths: readonly number[],
    level: number,
    target: Buffer,
    position: number,
  ): number => {
    const length = lengths[level] as number;
    const innermost = level === lengths.length - 1;
    let to = position;
    for (let i = 0; i < length; i++) {
      target[to++] = i === 0 ? OPENING : COMMA;
      to = innermost ? writeNext(source, target, to) : writeLevel(source, lengths, level + 1, target, to);
      if (to < 0) return UNREPRESENTABLE;
    }
    target[to] = CLOSING;
    return to + 1;
  };

  return (source, start, _end, target, position) => {
    const dimensions = readInt4(source, start);
    at = start + HEADER_BYTES + dimensions * DIMENSION_BYTES;
    if (dimensions === 0) return writeEmpty(target, position);
    const lengths = Array.from({ length: dimensions }, (_, i) =>
      readInt4(source, start + HEADER_BYTES + i * DIMENSION_BYTES),
    );
    return writeLevel(source, lengths, 0, target, position);
  };
}

function writeEmpty(target: Uint8Array, position: number): number {
  target[position] = OPENING;
  target[position + 1] = CLOSING;
  return position + 2;
}
