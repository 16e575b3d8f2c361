import { readInt4 } from './bytes.ts';

/**
 * Writes the JSON of one value: `source[at]` is where PostgreSQL's binary form begins, behind its length. The answer is the position behind what was written to `target` (which may lie past its
 * end, see bytes.ts), or UNREPRESENTABLE when JSON cannot say it.
 */
export type ValueWriter = (source: Buffer, at: number, target: Buffer, position: number) => number;

/** Where the value that begins at `source[at]` ends. */
export function endOfValue(source: Buffer, at: number): number {
  return at + readInt4(source, at - 4);
}

/** NaN, an infinity, a date BC or after the year 9999. */
export const UNREPRESENTABLE = -1;

const LETTER_N = 0x6e;
const LETTER_U = 0x75;
const LETTER_L = 0x6c;

export function writeNull(target: Uint8Array, position: number): number {
  target[position] = LETTER_N;
  target[position + 1] = LETTER_U;
  target[position + 2] = LETTER_L;
  target[position + 3] = LETTER_L;
  return position + 4;
}
