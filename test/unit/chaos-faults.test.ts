import { describe, expect, it } from 'vitest';
import { CUTS, type Fault, nextSeed, PHASES, planOf, VICTIMS } from '../chaos/faults.ts';
import { LOCK_LEASE_MS, WORKER_LEASE_MS } from '../chaos/leases.ts';

/** The seeds of as many rounds. */
function seedsFrom(seed: number, count: number): number[] {
  return Array.from({ length: count }).reduce<number[]>(
    (seeds) => [...seeds, nextSeed(seeds.at(-1) ?? 0)],
    [seed],
  );
}

const PLANS = seedsFrom(1, 300).map((seed) => planOf(seed));
const FAULTS: readonly Fault[] = PLANS.flatMap(({ runs }) => runs.flatMap(({ faults }) => faults));

describe('the plan of faults for a chaos round', () => {
  it('is the same for the same seed, and another for another seed', () => {
    expect(planOf(42)).toEqual(planOf(42));
    expect(new Set(PLANS.map((plan) => JSON.stringify(plan))).size).toBe(PLANS.length);
  });

  it('has at most the wanted number of runs and of faults in each run', () => {
    const plans = seedsFrom(7, 100).map((seed) => planOf(seed, { mostRuns: 2, mostFaults: 3 }));
    expect(Math.max(...plans.map(({ runs }) => runs.length))).toBe(2);
    expect(Math.max(...plans.flatMap(({ runs }) => runs.map(({ faults }) => faults.length)))).toBe(3);
  });

  it('covers every victim, every kind of fault and every phase over many seeds', () => {
    const seen = (pick: (fault: Fault) => unknown) => new Set(FAULTS.map(pick));
    const told = seen((fault) => `${fault.kind} ${fault.kind === 'cut' ? fault.how : fault.victim}`);
    for (const victim of VICTIMS) {
      expect(told).toContain(`kill ${victim}`);
      expect(told).toContain(`pause ${victim}`);
    }
    for (const how of CUTS) expect(told).toContain(`cut ${how}`);
    expect(seen(({ moment }) => moment.phase)).toEqual(new Set(PHASES));
  });

  it('has pauses below the lock lease, between lock lease and worker lease, and above both', () => {
    const pausesMs = FAULTS.flatMap((fault) => (fault.kind === 'pause' ? [fault.forMs] : []));
    const between = (leastMs: number, mostMs: number) =>
      pausesMs.filter((forMs) => forMs > leastMs && forMs < mostMs).length;
    expect(between(0, LOCK_LEASE_MS)).toBeGreaterThan(20);
    expect(between(LOCK_LEASE_MS, WORKER_LEASE_MS)).toBeGreaterThan(20);
    expect(between(WORKER_LEASE_MS, Number.POSITIVE_INFINITY)).toBeGreaterThan(20);
  });
});
