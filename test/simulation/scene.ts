import { FAULTS, type Fault } from './faults.ts';
import type { Random } from './random.ts';

/** The beginning of a virtual world and the faults that it will meet: everything that its seed decides beforehand. */
export interface Scene {
  readonly keys: readonly bigint[];
  /** The keys at which the ranges are cut, rising. */
  readonly cuts: readonly bigint[];
  /** Every so many-th key is filtered; 0 filters none. */
  readonly filterEvery: number;
  readonly workers: number;
  readonly rowsPerBatch: number;
  readonly faults: ReadonlySet<Fault>;
  /** What the readers' alias serves before the first run. */
  readonly earlier: Earlier;
}

/** `none`: the alias is not there yet. `own`: the fleet built an index before. `by hand`: a person did. */
export type Earlier = 'none' | 'own' | 'by hand';

/** The build that a run is pinned to. */
export const BUILD = 'the build';
const MOST_KEYS = 120;
const KEY_SHAPES = ['dense', 'gaps', 'ends'] as const;
const LEAST_KEY = -(2n ** 63n);
const GREATEST_KEY = 2n ** 63n - 1n;

/** A quarter of all worlds has one fault or none, so that faults are also seen alone. */
export function drawScene(random: Random): Scene {
  const keys = drawKeys(random);
  return {
    keys,
    cuts: drawCuts(random, keys),
    filterEvery: random.chance(0.3) ? random.whole(2, 7) : 0,
    workers: random.whole(1, 4),
    rowsPerBatch: random.whole(2, 12),
    faults: drawFaults(random),
    earlier: random.pick(['none', 'own', 'own', 'by hand']),
  };
}

function drawKeys(random: Random): bigint[] {
  const count = random.chance(0.1) ? random.whole(0, 1) : random.whole(2, MOST_KEYS);
  const shape = random.pick(KEY_SHAPES);
  const start = BigInt(random.whole(-500, 500));
  const step = (i: number): bigint => (shape === 'gaps' ? BigInt(i * i * random.whole(1, 1000)) : BigInt(i));
  const keys = new Set(Array.from({ length: count }, (_, i) => start + step(i)));
  if (shape === 'ends') for (const key of [LEAST_KEY, GREATEST_KEY]) keys.add(key);
  return [...keys].sort((a, b) => (a < b ? -1 : 1));
}

/** Cuts at keys, beside keys, and now and then in a gap. A range may be empty. */
function drawCuts(random: Random, keys: readonly bigint[]): bigint[] {
  const cuts = new Set<bigint>();
  for (let wanted = random.whole(0, 7); wanted > 0 && keys.length > 0; wanted -= 1) {
    const cut = random.pick(keys) + BigInt(random.whole(0, 2));
    if (cut > LEAST_KEY && cut < GREATEST_KEY) cuts.add(cut);
  }
  return [...cuts].sort((a, b) => (a < b ? -1 : 1));
}

function drawFaults(random: Random): Set<Fault> {
  const count = random.chance(0.25) ? random.whole(0, 1) : random.whole(2, 8);
  const faults = new Set<Fault>();
  while (faults.size < count) faults.add(random.pick(FAULTS));
  return faults;
}
