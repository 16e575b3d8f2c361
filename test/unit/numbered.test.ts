import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highestNumber, numberedName } from '../../orchestrator/journal/numbered.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** A folder of objects with all numbers from one to another, which counts the calls that list it. */
function numbered(from: number, to: number): { store: JournalStore; calls: () => number } {
  const store = new MemoryStore();
  for (let number = from; number <= to; number += 1) store.objects.set(numberedName('n', number), '');
  const list = store.list.bind(store);
  let calls = 0;
  store.list = (folder, part) => {
    calls += 1;
    return list(folder, part);
  };
  return { store, calls: () => calls };
}

describe('the highest number', () => {
  it('is found wherever the numbers begin and end, whatever is known of them', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3_000 }),
        fc.integer({ min: 0, max: 7_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (from, count, share) => {
          const to = from + count;
          const { store } = numbered(from, to);
          expect(await highestNumber(store, 'n')).toBe(to);
          expect(await highestNumber(store, 'n', from + Math.floor(count * share))).toBe(to);
        },
      ),
      { numRuns: 15 },
    ));

  it('of an empty folder is 0', async () => {
    expect(await highestNumber(new MemoryStore(), 'n')).toBe(0);
  });

  it('is asked for in one call where the newest but one is known, as at each renewal of a lock', async () => {
    const { store, calls } = numbered(1, 20_000);
    expect(await highestNumber(store, 'n', 19_999)).toBe(20_000);
    expect(calls()).toBe(1);
  });

  it('of tens of thousands is found in few calls', async () => {
    const { store, calls } = numbered(1, 30_000);
    expect(await highestNumber(store, 'n')).toBe(30_000);
    expect(calls()).toBeLessThanOrEqual(13);
  });
});
