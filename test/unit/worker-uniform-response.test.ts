import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOutcomes, type Sent } from '../../worker/targets/bulk/outcomes.ts';
import { allStoredAlike } from '../../worker/targets/bulk/uniform-response.ts';
import { storeOf } from '../support/batches.ts';

function sentOf(keys: readonly bigint[]): Sent {
  const index = 'cities-1';
  return {
    keys: storeOf(keys),
    first: 0,
    count: keys.length,
    alias: 'w',
    index,
    versioned: false,
  };
}

function stored(key: bigint, changes: object = {}): object {
  return { index: { _index: 'cities-1', _id: String(key), status: 201, result: 'created', ...changes } };
}

function responseOf(items: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ took: 1, errors: false, items }));
}

const smallKey = fc.bigInt({ min: -(10n ** 13n), max: 10n ** 14n });
const keyLists = fc.uniqueArray(smallKey, { minLength: 2, maxLength: 40 });

describe('the fast reading of a bulk answer', () => {
  it('recognises an answer in which every item was created or updated', () => {
    fc.assert(
      fc.property(keyLists, fc.boolean(), (keys, again) => {
        const changes = again ? { status: 200, result: 'updated' } : {};
        expect(allStoredAlike(responseOf(keys.map((key) => stored(key, changes))), sentOf(keys))).toBe(true);
      }),
    );
  });

  it('matches the stretch that was sent within its batch', () => {
    const sent = { ...sentOf([1n, 2n, 3n, 4n]), first: 1, count: 2 };
    expect(allStoredAlike(responseOf([stored(2n), stored(3n)]), sent)).toBe(true);
    expect(allStoredAlike(responseOf([stored(1n), stored(2n)]), sent)).toBe(false);
  });

  it.each<[string, (items: object[]) => object[]]>([
    ['an item too few', (items) => items.slice(1)],
    ['an item too many', (items) => [...items, stored(99n)]],
    ['two items exchanged', ([a, b, ...rest]) => [b ?? {}, a ?? {}, ...rest]],
    ['another id in the middle', (items) => items.with(1, stored(7n))],
    ['another result in the middle', (items) => items.with(1, stored(2n, { result: 'noop' }))],
    [
      'an error in the middle',
      (items) => items.with(1, stored(2n, { status: 400, error: { type: 'x', reason: 'y' } })),
    ],
    [
      'an error everywhere',
      (items) => items.map((_, i) => stored(BigInt(i + 1), { error: { type: 'x', reason: 'y' } })),
    ],
    [
      'another index everywhere',
      (items) => items.map((_, i) => stored(BigInt(i + 1), { _index: 'cities-2' })),
    ],
    ['the last item cut short', (items) => items.with(2, { index: {} })],
  ])('does not recognise an answer with %s', (_name, change) => {
    const keys = [1n, 2n, 3n];
    expect(allStoredAlike(responseOf(change(keys.map((key) => stored(key)))), sentOf(keys))).toBe(false);
  });

  it.each(['', 'x', '{"items":[', '{"items":[]}', '{"items":[{"index":{}},{'])(
    'does not recognise the text %j',
    (text) => {
      expect(allStoredAlike(Buffer.from(text), sentOf([1n, 2n]))).toBe(false);
    },
  );

  it('leaves keys that a number cannot hold to the parser', () => {
    const keys = [9_007_199_254_740_992n, 9_007_199_254_740_993n];
    expect(allStoredAlike(responseOf(keys.map((key) => stored(key))), sentOf(keys))).toBe(false);
  });

  it('never accepts more than the parser accepts, whatever byte is changed', () => {
    fc.assert(
      fc.property(keyLists, fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (keys, place, byte) => {
        const response = responseOf(keys.map((key) => stored(key)));
        response[place % response.length] = byte;
        const recognised = allStoredAlike(response, sentOf(keys));
        const parsed = (): number => readOutcomes(JSON.parse(response.toString()), sentOf(keys)).indexed;
        // Only the words before the list of items, which say nothing of an item, are not looked at.
        const isPreamble = place % response.length < response.indexOf('"items"');
        expect(!recognised || isPreamble || parsed() === keys.length).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
