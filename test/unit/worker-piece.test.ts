import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch } from '../../worker/bulk/batch.ts';
import { keptFields } from '../../worker/bulk/kept-fields.ts';
import { bodyOf, bytesOf, documentAt, halvesOf, keepOnly, keyAt, wholeOf } from '../../worker/bulk/piece.ts';
import { Settlement } from '../../worker/bulk/settlement.ts';
import { addDeadLetter, addDocument, addFiltered, linesOf } from '../support/batches.ts';

function batchOf(keys: readonly bigint[]): Batch {
  const batch = new Batch(64 * 1024, 1_000);
  for (const key of keys) addDocument(batch, key, `"text":"${'x'.repeat(Number(key % 7n))}"`);
  return batch;
}

function textOf(keys: readonly bigint[]): string {
  return keys.map((key) => linesOf(key, `"text":"${'x'.repeat(Number(key % 7n))}"`)).join('');
}

describe('Piece', () => {
  it('is the whole batch at first', () => {
    const whole = wholeOf(batchOf([1n, 2n, 30n]));
    expect(bodyOf(whole).toString()).toBe(textOf([1n, 2n, 30n]));
    expect(bytesOf(whole)).toBe(textOf([1n, 2n, 30n]).length);
    expect(documentAt(whole, 2)).toBe('{"id":30,"text":"xx"}');
    expect(keyAt(whole, 2)).toBe(30n);
  });

  it('halves to single documents without losing or repeating one', () => {
    const keys = [1n, 2n, 3n, 40n, 50n];
    const parts = [wholeOf(batchOf(keys))];
    const seen: string[] = [];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part.count > 1) parts.push(...halvesOf(part).reverse());
      else seen.push(bodyOf(part).toString());
    }
    expect(seen).toEqual(keys.map((key) => textOf([key])));
  });

  it('keeps any choice of its items byte for byte, and leaves the other half alone', () => {
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

describe('Settlement', () => {
  it('moves only over a closed stretch, however batches finish', () => {
    const settlement = new Settlement();
    const stretches = [1n, 2n, 3n].map((key) => settlement.enter(batchOf([key])));
    const outcome = { indexed: 1, superseded: 0, deadLetters: 0 };
    const seen: (bigint | null)[] = [];
    for (const i of [2, 1, 0]) {
      const stretch = stretches[i];
      if (stretch !== undefined) settlement.settle(stretch, outcome);
      seen.push(settlement.settledThrough);
    }
    expect(seen).toEqual([null, null, 3n]);
    expect(settlement.counts).toEqual({
      rowsRead: 3,
      filtered: 0,
      indexed: 3,
      superseded: 0,
      deadLetters: 0,
    });
    expect(settlement.idle).toBe(true);
  });

  it('counts filtered rows and dead letters with their stretch', () => {
    const settlement = new Settlement();
    const batch = batchOf([1n]);
    addFiltered(batch, 2n);
    addDeadLetter(batch, 3n);
    settlement.settle(settlement.enter(batch), { indexed: 0, superseded: 1, deadLetters: 1 });
    expect(settlement.counts).toEqual({
      rowsRead: 3,
      filtered: 1,
      indexed: 0,
      superseded: 1,
      deadLetters: 1,
    });
    expect(settlement.settledThrough).toBe(3n);
  });

  it('refuses a batch, and an outcome, that would lose a row', () => {
    const batch = batchOf([1n, 2n]);
    const settlement = new Settlement();
    const stretch = settlement.enter(batch);
    expect(() => settlement.settle(stretch, { indexed: 1, superseded: 0, deadLetters: 0 })).toThrow(
      /1 outcomes for 2 rows/,
    );
    batch.rowsRead++;
    expect(() => settlement.enter(batch)).toThrow(/rows would be lost/);
  });
});

describe('keptFields', () => {
  it('takes the named fields as they stand, digit for digit', () => {
    const document =
      '{"id":1,"a b":{"x":[1,{"name":2}],"y":"},"},"price":12345678901234567890.10,"name":"q\\"{,:","last":null}';
    expect(keptFields(document, ['price', 'a b'])).toBe(
      '{"a b":{"x":[1,{"name":2}],"y":"},"},"price":12345678901234567890.10}',
    );
    expect(keptFields(document, ['name', 'last'])).toBe('{"name":"q\\"{,:","last":null}');
  });

  it('agrees with JSON.parse on any document', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const names = Object.keys(fields).filter((_, i) => i % 2 === 0);
        const expected = Object.fromEntries(names.map((name) => [name, fields[name]]));
        const kept = keptFields(JSON.stringify(fields), names);
        expect(JSON.parse(kept ?? '{}')).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });

  it('is null without names, without matches, and for more than a note', () => {
    expect(keptFields('{"a":1}', [])).toBeNull();
    expect(keptFields('{"a":1}', ['b'])).toBeNull();
    expect(keptFields(`{"a":"${'x'.repeat(20_000)}"}`, ['a'])).toBeNull();
  });
});
