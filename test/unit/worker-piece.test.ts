import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Key } from '../../definition/key/key-kind.ts';
import type { Batch } from '../../worker/targets/batch.ts';
import { membersNamed } from '../../worker/targets/bulk/document-members.ts';
import {
  bodyOf,
  bytesOf,
  documentAt,
  halvesOf,
  keepOnly,
  keyAt,
  wholeOf,
} from '../../worker/targets/bulk/piece.ts';
import { Settlement } from '../../worker/targets/settlement.ts';
import type { Stretch } from '../../worker/targets/stretch.ts';
import {
  addDeadLetter,
  addDocument,
  addFiltered,
  emptyBatch,
  linesOf,
  newStretch,
  writeDocument,
} from '../support/batches.ts';

function batchOf(keys: readonly bigint[]): Batch {
  const batch = emptyBatch();
  for (const key of keys) writeDocument(batch, key, `"text":"${'x'.repeat(Number(key % 7n))}"`);
  return batch;
}

function stretchOf(keys: readonly bigint[], targets = 1): Stretch {
  const stretch = newStretch(targets);
  for (const key of keys) addDocument(stretch, key);
  return stretch;
}

function textOf(keys: readonly bigint[]): string {
  return keys.map((key) => linesOf(key, `"text":"${'x'.repeat(Number(key % 7n))}"`)).join('');
}

describe('a piece of a batch', () => {
  it('is the whole batch at first', () => {
    const whole = wholeOf(batchOf([1n, 2n, 30n]));
    expect(bodyOf(whole).toString()).toBe(textOf([1n, 2n, 30n]));
    expect(bytesOf(whole)).toBe(textOf([1n, 2n, 30n]).length);
    expect(documentAt(whole, 2)).toBe('{"id":30,"text":"xx"}');
    expect(keyAt(whole, 2)).toBe(30n);
  });

  it('halves down to single documents without losing or repeating one', () => {
    const keys = [1n, 2n, 3n, 40n, 50n];
    const parts = [wholeOf(batchOf(keys))];
    const seen: string[] = [];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part.count > 1) parts.push(...halvesOf(part).reverse());
      else seen.push(bodyOf(part).toString());
    }
    expect(seen).toEqual(keys.map((key) => textOf([key])));
  });

  it('keeps any selection of its items byte for byte, and leaves the other half alone', () => {
    const choice = fc.array(fc.boolean(), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(choice, choice, (first, second) => {
        const keys = first.map((_, i) => BigInt(i * 3 + 1));
        const [left, right] = halvesOf(wholeOf(batchOf(keys)));
        for (const part of [left, right]) {
          const own = keys.slice(part.first, part.first + part.count);
          const once = own.map((_, i) => i).filter((i) => first[i] === true);
          const kept = keepOnly(part, once);
          const twice = once.map((_, i) => i).filter((i) => second[i] === true);
          const expected = twice.map((i) => own[once[i] ?? -1] ?? -1n);
          const rest = keepOnly(kept, twice);
          expect(bodyOf(rest).toString()).toBe(textOf(expected));
          expect(expected.map((_, i) => keyAt(rest, i))).toEqual(expected);
        }
      }),
    );
  });
});

describe('the settlement of a task', () => {
  const outcome = { indexed: 1, superseded: 0, filtered: 0, deadLetters: 0 };
  const nothing = { indexed: 0, superseded: 0, filtered: 0, deadLetters: 0 };

  it('advances only over closed stretches, in whatever order batches finish', () => {
    const settlement = new Settlement(1);
    const stretches = [1n, 2n, 3n].map((key) => settlement.enter(stretchOf([key])));
    const seen: (Key | null)[] = [];
    for (const i of [2, 1, 0]) {
      const stretch = stretches[i];
      if (stretch !== undefined) settlement.settle(stretch, 0, outcome);
      seen.push(settlement.settledThrough);
    }
    expect(seen).toEqual([null, null, 3n]);
    expect(settlement.counts).toEqual({
      rowsRead: 3,
      filtered: 0,
      targets: [{ indexed: 3, superseded: 0, filtered: 0, deadLetters: 0 }],
    });
    expect(settlement.idle).toBe(true);
  });

  it('counts filtered rows and dead letters with their stretch', () => {
    const settlement = new Settlement(1);
    const stretch = stretchOf([1n]);
    addFiltered(stretch, 2n);
    addDeadLetter(stretch, 3n);
    const entered = settlement.enter(stretch);
    settlement.settle(entered, 0, { indexed: 0, superseded: 1, filtered: 1, deadLetters: 1 });
    expect(settlement.counts).toEqual({
      rowsRead: 3,
      filtered: 1,
      targets: [{ indexed: 0, superseded: 1, filtered: 1, deadLetters: 1 }],
    });
    expect(settlement.settledThrough).toBe(3n);
  });

  it('refuses a stretch or an outcome that would lose a row', () => {
    const stretch = stretchOf([1n, 2n]);
    const settlement = new Settlement(1);
    const entered = settlement.enter(stretch);
    expect(() => settlement.settle(entered, 0, outcome)).toThrow(/1 outcomes for 2 rows/);
    stretch.rowsRead++;
    expect(() => settlement.enter(stretch)).toThrow(/rows would be lost/);
  });

  it('counts nothing of a faster target beyond what the slowest target has settled', () => {
    const settlement = new Settlement(2);
    const stretches = [1n, 2n].map((key) => settlement.enter(stretchOf([key], 2)));
    for (const stretch of stretches) settlement.settle(stretch, 0, outcome);
    expect([settlement.settledThrough, settlement.counts]).toEqual([
      null,
      { rowsRead: 0, filtered: 0, targets: [nothing, nothing] },
    ]);
    if (stretches[0] !== undefined) settlement.settle(stretches[0], 1, { ...nothing, deadLetters: 1 });
    expect([settlement.settledThrough, settlement.counts]).toEqual([
      1n,
      { rowsRead: 1, filtered: 0, targets: [outcome, { ...nothing, deadLetters: 1 }] },
    ]);
    expect(settlement.idle).toBe(false);
  });

  it('adds up for every target, in any order of stretches and targets', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 12 }, (_, i) => i),
      { minLength: 12, maxLength: 12 },
    );
    fc.assert(
      fc.property(order, (places) => {
        const settlement = new Settlement(3);
        const stretches = [1n, 2n, 3n, 4n].map((key) => settlement.enter(stretchOf([key], 3)));
        const settled = stretches.map(() => new Set<number>());
        for (const place of places) {
          const at = place % 4;
          const stretch = stretches[at];
          if (stretch === undefined) throw new Error('no stretch');
          settlement.settle(stretch, Math.floor(place / 4), outcome);
          settled[at]?.add(place);
          const closed = settled.findIndex((targets) => targets.size < 3);
          const rows = closed < 0 ? 4 : closed;
          expect(settlement.counts.rowsRead).toBe(rows);
          expect(settlement.counts.targets.map(({ indexed }) => indexed)).toEqual([rows, rows, rows]);
        }
      }),
    );
  });
});

describe('the members taken from a JSON document', () => {
  it('stand digit for digit as in the document', () => {
    const document =
      '{"id":1,"a b":{"x":[1,{"name":2}],"y":"},"},"price":12345678901234567890.10,"name":"q\\"{,:","last":null}';
    expect(membersNamed(document, ['price', 'a b'])).toBe(
      '{"a b":{"x":[1,{"name":2}],"y":"},"},"price":12345678901234567890.10}',
    );
    expect(membersNamed(document, ['name', 'last'])).toBe('{"name":"q\\"{,:","last":null}');
  });

  it('agree with JSON.parse on any document', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const names = Object.keys(fields).filter((_, i) => i % 2 === 0);
        const expected = Object.fromEntries(names.map((name) => [name, fields[name]]));
        const kept = membersNamed(JSON.stringify(fields), names);
        expect(JSON.parse(kept ?? '{}')).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });

  it('are null without names, without matches, or when they are too long', () => {
    expect(membersNamed('{"a":1}', [])).toBeNull();
    expect(membersNamed('{"a":1}', ['b'])).toBeNull();
    expect(membersNamed(`{"a":"${'x'.repeat(20_000)}"}`, ['a'])).toBeNull();
  });
});
