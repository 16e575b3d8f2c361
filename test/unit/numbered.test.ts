import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunFailed } from '../../orchestrator/errors.ts';
import { highestNumber, numberedName } from '../../orchestrator/journal/numbered.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** A folder of objects with all numbers from one to another. */
function numbered(from: number, to: number): MemoryStore {
  const store = new MemoryStore();
  for (let number = from; number <= to; number += 1) store.objects.set(numberedName('n', number), '');
  return store;
}

/** How often a store is asked for a list from now on. */
function countLists(store: MemoryStore): () => number {
  const list = store.list.bind(store);
  let calls = 0;
  store.list = (folder, part) => {
    calls += 1;
    return list(folder, part);
  };
  return () => calls;
}

describe('the highest number in a numbered folder', () => {
  it('is found wherever the numbers begin and end, whatever is already known', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3_000 }),
        fc.integer({ min: 0, max: 7_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (from, count, share) => {
          const to = from + count;
          const store = numbered(from, to);
          expect(await highestNumber(store, 'n')).toBe(to);
          const known = from + Math.floor(count * share);
          expect(await highestNumber(store, 'n', known)).toBe(to);
          // What is deleted by age leaves gaps.
          for (let number = known; number < to; number += 1)
            if (number % 1_500 < 1_200) store.objects.delete(numberedName('n', number));
          expect(await highestNumber(store, 'n')).toBe(to);
        },
      ),
      { numRuns: 15 },
    ));

  it('is 0 when the folder is empty', async () => {
    expect(await highestNumber(new MemoryStore(), 'n')).toBe(0);
  });

  it('takes one call when the number before it is known, as at each renewal of a lock', async () => {
    const store = numbered(1, 20_000);
    const calls = countLists(store);
    expect(await highestNumber(store, 'n', 19_999)).toBe(20_000);
    expect(calls()).toBe(1);
  });

  it('takes few calls among tens of thousands of numbers', async () => {
    const store = numbered(1, 30_000);
    const calls = countLists(store);
    expect(await highestNumber(store, 'n')).toBe(30_000);
    expect(calls()).toBeLessThanOrEqual(13);
  });

  it('is refused when a foreign object lies in the folder', async () => {
    const store = numbered(1, 3);
    store.objects.set('n/notes.json', '');
    const asked = highestNumber(store, 'n');
    await expect(asked).rejects.toThrow(RunFailed);
    await expect(asked).rejects.toThrow(
      'the journal cannot be read: n/notes.json is not one of its numbered objects. Nothing was changed. Move this object away, then give the same command again.',
    );
  });
});
