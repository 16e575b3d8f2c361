import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTEGER_KEY } from '../../definition/key/integer-key.ts';
import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
import type { KeyCell } from '../../worker/key/key-bytes.ts';
import { KeyWindow } from '../../worker/source/key-window.ts';
import { Pieces } from '../../worker/source/pieces.ts';
import { upTo } from '../../worker/source/position.ts';
import { positionIn } from '../support/read-all.ts';

const LARGEST = 2n ** 63n - 1n;
const key = fc.bigInt({ min: -(2n ** 63n), max: LARGEST });
const cellOf = (value: bigint): KeyCell => {
  const cell = INTEGER_KEY_BYTES.createCell();
  cell.set(value);
  return cell;
};

describe('the position of a reading', () => {
  it('compares keys as numbers and returns them unchanged', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const position = positionIn({ start: null, end: null });
        position.moveTo(cellOf(a));
        expect(position.lastKey).toBe(a);
        expect(position.compare(cellOf(b))).toBe(b > a ? 1 : b < a ? -1 : 0);
      }),
    );
  });

  it('tells the rest of the range, and null when nothing can be left', () => {
    const position = positionIn({ start: 1n, end: 10n });
    expect(position.rest).toEqual({ start: 1n, end: 10n });
    position.moveToKey(5n);
    expect(position.rest).toEqual({ start: 6n, end: 10n });
    position.moveToKey(9n);
    expect(position.rest).toBeNull();
    const open = positionIn({ start: null, end: null });
    open.moveToKey(LARGEST);
    expect(open.rest).toBeNull();
  });

  it('skips forward without counting rows, and never backward', () => {
    const position = positionIn({ start: null, end: null });
    position.moveToKey(7n);
    position.skipTo(3n);
    expect(position.lastKey).toBe(7n);
    position.skipTo(9n);
    expect([position.lastKey, position.rows]).toEqual([9n, 1]);
  });

  it('covers exactly the keys before its end, over all bigint keys', () => {
    fc.assert(
      fc.property(key, key, (end, b) => {
        const position = positionIn({ start: null, end });
        expect([position.covers(cellOf(b)), position.coversKey(b)]).toEqual([b < end, b < end]);
      }),
    );
    const open = positionIn({ start: null, end: null });
    expect([open.coversKey(LARGEST), open.coversKey(-(2n ** 63n))]).toEqual([true, true]);
  });

  it('lowers its end unless reading has passed the new end, and never raises it', () => {
    const ends = fc.oneof(key, fc.constant(null));
    fc.assert(
      fc.property(ends, fc.array(key, { maxLength: 3 }), key, (first, lowered, read) => {
        const position = positionIn({ start: null, end: first });
        let end = first;
        for (const next of lowered) {
          const possible: boolean = end === null || next < end;
          expect(position.lowerEnd(next)).toBe(possible);
          if (possible) end = next;
          expect(position.rest).toEqual({ start: null, end });
        }
        if (!position.coversKey(read) || read === LARGEST) return;
        position.moveToKey(read);
        expect(position.lowerEnd(read)).toBe(false);
        expect(position.rest?.end ?? end).toBe(end);
        const behind = read + 1n;
        expect(position.lowerEnd(behind)).toBe(end === null || behind < end);
        expect(position.rest).toBeNull();
      }),
    );
  });

  it('does not skip past an end that was lowered meanwhile', () => {
    const position = positionIn({ start: 1n, end: 100n });
    position.lowerEnd(10n);
    position.skipTo(50n);
    expect([position.lastKey, position.rest, position.rows]).toEqual([null, null, 0]);
  });

  it('cuts a range behind a key', () => {
    expect(upTo(INTEGER_KEY, { start: 1n, end: 10n }, 4n)).toEqual({ start: 1n, end: 5n });
    expect(upTo(INTEGER_KEY, { start: 1n, end: null }, LARGEST)).toEqual({ start: 1n, end: null });
  });
});

describe('the window of keys around unreadable rows', () => {
  it('narrows down to any unreadable keys among readable ones, and widens again', () => {
    const rows = fc.integer({ min: 1, max: 5_000 });
    fc.assert(
      fc.property(rows, fc.array(fc.nat(4_999), { maxLength: 8 }), (count, bad) => {
        const buried: number[] = [];
        const window = new KeyWindow();
        let at = 0;
        let tries = 0;
        while (at < count) {
          if (++tries > 1_000) throw new Error('does not end');
          const end = window.keys === null ? count : Math.min(count, at + window.keys);
          const broken = bad.filter((row) => row >= at && row < end);
          if (broken.length === 0) {
            window.succeeded();
            at = end;
          } else if (window.broke(window.keys === null ? null : end - at)) {
            buried.push(at++);
          }
        }
        expect(buried).toEqual([...new Set(bad)].filter((row) => row < count).sort((a, b) => a - b));
      }),
    );
  });
});

describe('the pieces of an ordinary stream', () => {
  it('arrive one by one as they are requested, and none is lost', async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    const heard: string[] = [];
    stream.on('data', (piece: Buffer) => heard.push(piece.toString()));
    const pieces = new Pieces(stream);
    const written = ['one', 'two', 'three', 'four', 'five'];
    const writing = (async () => {
      for (const text of written)
        if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve));
      stream.end();
    })();
    const got: string[] = [];
    for (let piece = await pieces.next(); piece !== null; piece = await pieces.next()) {
      got.push(piece.toString());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(got.join('')).toBe(written.join(''));
    expect(heard).toEqual([]);
  });
});
