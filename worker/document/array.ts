import { readInt4 } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter, writeNull } from './value-writer.ts';

/**
 * Arrays come as the number of dimensions, flags, the elements' type, then length and lower bound of each dimension,
 * then all elements in order, each with its length (-1: null). Lower bounds say nothing in JSON.
 * Source: array_send in src/backend/utils/adt/arrayfuncs.c of PostgreSQL.
 */
const HEADER_BYTES = 12;
const DIMENSION_BYTES = 8;
const LENGTH_BYTES = 4;

const NOWHERE = Buffer.alloc(0);

const OPENING = 0x5b;
const CLOSING = 0x5d;
const COMMA = 0x2c;

/**
 * Makes the writer of an array out of that of its elements.
 * @param nullElements null for an element that JSON cannot say; false: the array as a whole is unrepresentable
 */
export function arrayWriter(writeElement: ValueWriter, nullElements: boolean): ValueWriter {
  let source: Buffer = NOWHERE;
  /** Where the length of the next element stands. */
  let at = 0;

  const writeElements = (count: number, target: Buffer, position: number): number => {
    let to = position;
    for (let i = 0; i < count; i++) {
      target[to++] = i === 0 ? OPENING : COMMA;
      const length = readInt4(source, at);
      const start = at + LENGTH_BYTES;
      at = start + Math.max(0, length);
      const written = length < 0 ? writeNull(target, to) : writeElement(source, start, target, to);
      if (written === UNREPRESENTABLE && !nullElements) return UNREPRESENTABLE;
      to = written === UNREPRESENTABLE ? writeNull(target, to) : written;
    }
    target[to] = CLOSING;
    return to + 1;
  };

  /** `dimensionAt`: where the length of this dimension stands; `inner`: how many dimensions lie within it. */
  const writeLevel = (dimensionAt: number, inner: number, target: Buffer, position: number): number => {
    const count = readInt4(source, dimensionAt);
    if (inner === 0) return writeElements(count, target, position);
    let to = position;
    for (let i = 0; i < count; i++) {
      target[to++] = i === 0 ? OPENING : COMMA;
      to = writeLevel(dimensionAt + DIMENSION_BYTES, inner - 1, target, to);
      if (to === UNREPRESENTABLE) return UNREPRESENTABLE;
    }
    target[to] = CLOSING;
    return to + 1;
  };

  return (bytes, start, target, position) => {
    const dimensions = readInt4(bytes, start);
    if (dimensions === 0) return writeEmpty(target, position);
    const dimensionsAt = start + HEADER_BYTES;
    source = bytes;
    at = dimensionsAt + dimensions * DIMENSION_BYTES;
    return writeLevel(dimensionsAt, dimensions - 1, target, position);
  };
}

function writeEmpty(target: Uint8Array, position: number): number {
  target[position] = OPENING;
  target[position + 1] = CLOSING;
  return position + 2;
}
