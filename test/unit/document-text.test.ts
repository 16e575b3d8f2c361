import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeText } from '../../worker/document/text.ts';

/** A text as PostgreSQL sends it: its length, then its bytes; with other bytes on both sides. */
function asSent(text: string, before: number): { source: Buffer; at: number } {
  const bytes = Buffer.from(text);
  const source = Buffer.alloc(before + 4 + bytes.length + 8, '"');
  source.writeInt32BE(bytes.length, before);
  bytes.copy(source, before + 4);
  return { source, at: before + 4 };
}

function written(text: string, target: Buffer, position: number): { json: string; end: number } {
  const { source, at } = asSent(text, position % 5);
  const end = writeText(source, at, target, position);
  return { json: target.toString('utf8', position, Math.min(end, target.length)), end };
}

/** Control characters, quotes and backslashes among plain ones of one to four bytes. */
const texts = fc
  .array(
    fc.constantFrom(
      'a',
      'é',
      '€',
      '😀',
      '"',
      '\\',
      '\n',
      '\t',
      '\0',
      '\x1f',
      ' ',
      '!',
      '#',
      '[',
      ']',
      '\x7f',
    ),
  )
  .map((characters) => characters.join(''));

describe('a text as a JSON string', () => {
  test('holds the same text, wherever it stands and whatever stands around it', () => {
    fc.assert(
      fc.property(texts, fc.nat(9), (text, position) => {
        const { json } = written(text, Buffer.alloc(2_000), position);
        expect(JSON.parse(json)).toBe(text);
      }),
    );
  });

  test('is the same bytes where there is just enough room as where there is plenty', () => {
    fc.assert(
      fc.property(texts, fc.nat(9), (text, position) => {
        const plenty = written(text, Buffer.alloc(2_000), position);
        expect(written(text, Buffer.alloc(plenty.end), position)).toEqual(plenty);
      }),
    );
  });

  test('says by its end that it does not fit, and writes nothing elsewhere', () => {
    fc.assert(
      fc.property(texts, fc.nat(9), fc.nat(40), (text, position, missing) => {
        const { end } = written(text, Buffer.alloc(2_000), position);
        const room = Math.max(position, end - missing);
        const memory = Buffer.alloc(room + 64, 0x7e);
        expect(written(text, memory.subarray(0, room), position).end).toBe(end);
        expect(memory.subarray(room).every((byte) => byte === 0x7e)).toBe(true);
        expect(memory.subarray(0, position).every((byte) => byte === 0x7e)).toBe(true);
      }),
    );
  });
});
