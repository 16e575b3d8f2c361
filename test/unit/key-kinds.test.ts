import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INTEGER_KEY } from '../../definition/key/integer-key.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import { covers, endsAt, rangeFrom, rangeText } from '../../definition/key/key-range.ts';
import { keyKindNamed, keyKindOf, keyKindOfColumn } from '../../definition/key/kinds.ts';
import { sketchDefinition } from '../support/definitions.ts';

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/** Every kind with keys of it, rising texts at both ends among them, and texts that are no keys of it. */
const KINDS = [
  {
    kind: INTEGER_KEY,
    keys: fc.oneof(
      fc.bigInt({ min: LEAST, max: GREATEST }),
      fc.bigInt({ min: -50n, max: 50n }),
      fc.constantFrom(LEAST, LEAST + 1n, GREATEST - 1n, GREATEST),
    ) as fc.Arbitrary<Key>,
    last: GREATEST,
    refused: [
      '',
      ' 1',
      '1 ',
      '+1',
      '01',
      '-0',
      '1.0',
      '1e3',
      '0x1',
      '1n',
      '１',
      String(GREATEST + 1n),
      '9'.repeat(1000),
    ],
  },
];

describe.each(KINDS)('the key kind $kind.name', ({ kind, keys, last, refused }) => {
  test('has exactly one text for each key, which is read back as that key', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        expect(keyFrom(kind, kind.format(a))).toBe(a);
        expect(kind.format(a) === kind.format(b)).toBe(kind.compare(a, b) === 0);
        expect(kind.format(a)).not.toContain(',');
      }),
    );
  });

  test.each(refused)('refuses the text $0', (text) => {
    expect(kind.parse(text)).toBeNull();
    expect(() => keyFrom(kind, text)).toThrow(`is not a key of the kind ${kind.name}`);
  });

  test('orders its keys totally', () => {
    fc.assert(
      fc.property(keys, keys, keys, (a, b, c) => {
        const isTransitive = kind.compare(a, b) > 0 || kind.compare(b, c) > 0 || kind.compare(a, c) <= 0;
        expect(isTransitive).toBe(true);
        expect(Math.sign(kind.compare(a, b)) + Math.sign(kind.compare(b, a))).toBe(0);
      }),
    );
  });

  test('finds the least key above each key, and none above the last', () => {
    expect(kind.after(last)).toBeNull();
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const next = kind.after(a);
        if (next === null) return a === last;
        const isLeast = kind.compare(b, a) > 0 === kind.compare(b, next) >= 0;
        return isLeast && kind.compare(next, a) > 0 && kind.between(a, next, 0.5) === null;
      }),
    );
  });

  test('finds a key between two keys whenever there is one', () => {
    fc.assert(
      fc.property(keys, keys, fc.double({ min: 0, max: 1, noNaN: true }), (start, end, share) => {
        const at = kind.between(start, end, share);
        const next = kind.after(start);
        const none = next === null || kind.compare(next, end) >= 0;
        const isBetween =
          at !== null &&
          kind.compare(start, at) < 0 &&
          kind.compare(at, end) < 0 &&
          kind.distance(start, at) <= kind.distance(start, end);
        expect([at === null, isBetween]).toEqual([none, !none]);
      }),
    );
  });

  test('puts each key into exactly one of two adjacent ranges', () => {
    fc.assert(
      fc.property(keys, keys, (cut, key) => {
        const [below, above] = [
          { start: null, end: cut },
          { start: cut, end: null },
        ];
        expect(covers(kind, below, key)).not.toBe(covers(kind, above, key));
        expect(rangeFrom(kind, rangeText(kind, below))).toEqual(below);
      }),
    );
  });

  test('leaves nothing of a range once its last key is read', () => {
    expect(endsAt(kind, { end: null }, last)).toBe(true);
    fc.assert(
      fc.property(keys, keys, (end, through) => {
        const next = kind.after(through);
        const left = next !== null && kind.compare(next, end) < 0;
        expect(endsAt(kind, { end }, through)).toBe(!left);
      }),
    );
  });
});

test.each(['smallint', 'integer', 'bigint'])('a key column of type %s holds integer keys', (type) => {
  expect(keyKindOfColumn(type)).toBe(INTEGER_KEY);
});

test.each(['text', 'uuid', 'numeric', 'double precision', 'toString'])(
  'a key column of type %s is of no known key kind',
  (type) => {
    expect(keyKindOfColumn(type)).toBeNull();
  },
);

test('a definition has the integer key kind, and a plan finds that kind by its name', () => {
  const kind = keyKindOf(sketchDefinition({ source: { table: 'item' }, document: { a: 'row.a' } }));
  expect(keyKindNamed(kind.name)).toBe(INTEGER_KEY);
  expect(keyKindNamed('uuid')).toBeNull();
});

test('an integer key range is cut at the requested share', () => {
  expect(INTEGER_KEY.between(0n, 1000n, 0.25)).toBe(250n);
  expect(INTEGER_KEY.between(LEAST, GREATEST, 0.5)).toBe(-1n);
  expect(INTEGER_KEY.between(0n, 2n, 0)).toBe(1n);
  expect(INTEGER_KEY.between(0n, 2n, 1)).toBe(1n);
});

test('comparing a text as an integer key is an error', () => {
  expect(() => INTEGER_KEY.compare('10', 9n)).toThrow('an integer key is needed');
});
