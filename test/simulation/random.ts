/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** Another source, independent of how much is drawn from this one. */
  fork(): Random;
}

/** SplitMix32: 32 bits of state, passes the usual tests, and one line per draw (Steele, Lea, Flood: OOPSLA 2014). */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const bits = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const random: Random = {
    next: () => bits() / 2 ** 32,
    whole: (low, high) => low + Math.floor(random.next() * (high - low + 1)),
    chance: (share) => random.next() < share,
    pick: <T>(values: readonly T[]) => {
      const value = values[random.whole(0, values.length - 1)];
      if (value === undefined) throw new RangeError('nothing to pick from');
      return value;
    },
    fork: () => seededRandom(bits()),
  };
  return random;
}
