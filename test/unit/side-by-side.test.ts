import { describe, expect, it } from 'vitest';
import { sideBySide } from '../../orchestrator/side-by-side.ts';

describe('concurrent work on a list of items', () => {
  it('returns results in the order of the items, whatever ends first', async () => {
    const gates = gatesFor(3);
    const results = sideBySide([0, 1, 2], 3, async (i) => {
      await gates[i]?.promise;
      return i * 10;
    });
    for (const gate of gates.toReversed()) gate.resolve();
    expect(await results).toEqual([0, 10, 20]);
  });

  it('keeps undefined results', async () => {
    expect(await sideBySide([1, 2], 1, () => Promise.resolve(undefined))).toEqual([undefined, undefined]);
  });

  it('has no more items under way than allowed', async () => {
    let underWay = 0;
    let most = 0;
    await sideBySide(
      Array.from({ length: 50 }, (_, i) => i),
      4,
      async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
      },
    );
    expect(most).toBe(4);
  });

  it('begins no more items after a failure, and throws it only when those under way have ended', async () => {
    const gates = gatesFor(2);
    const begun: number[] = [];
    let over = false;
    const work = sideBySide([0, 1, 2, 3], 2, async (i) => {
      begun.push(i);
      await gates[i]?.promise;
      if (i === 1) throw new Error('refused');
    });
    const settled = work
      .catch((error: unknown) => error)
      .finally(() => {
        over = true;
      });
    gates[1]?.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect({ over, begun }).toEqual({ over: false, begun: [0, 1] });
    gates[0]?.resolve();
    expect(await settled).toEqual(new Error('refused'));
    expect(begun).toEqual([0, 1]);
  });

  it('does nothing without items', async () => {
    expect(await sideBySide([], 8, () => Promise.reject(new Error('asked')))).toEqual([]);
  });
});

function gatesFor(count: number): PromiseWithResolvers<void>[] {
  return Array.from({ length: count }, () => Promise.withResolvers<void>());
}
