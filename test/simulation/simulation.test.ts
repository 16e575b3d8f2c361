import { describe, expect, it } from 'vitest';
import { FAULTS, type Fault } from './faults.ts';
import { prepareWorlds, runWorld, type WorldOutcome } from './run-world.ts';
import { sampled } from '../support/sampled.ts';
import { simulate } from './simulate.ts';
import type { Guard } from './world.ts';

const MANY = [
  { worlds: 200, seed: 1_001, cleanedRuns: 0 },
  // Here a sweep deletes an old journal too, which is rare.
  { worlds: 2_000, seed: 1, cleanedRuns: 1 },
] as const;

describe('whole runs in virtual time', { timeout: 900_000 }, () => {
  sampled(MANY, 1)(
    'keep every promise in $worlds worlds from seed $seed on, and every fault is tried',
    async (chosen) => {
      const { broken, faults, promoted, cleanedRuns, worlds, seconds } = await simulate(chosen);
      console.log(`${worlds} worlds in ${seconds.toFixed(0)} s: ${(worlds / seconds).toFixed(1)} worlds/s`);
      expect(broken.map(({ seed, broken: promise }) => `seed ${seed}: ${promise}`)).toEqual([]);
      expect(FAULTS.filter((fault) => (faults.counts.get(fault) ?? 0) === 0)).toEqual([]);
      expect(cleanedRuns).toBeGreaterThanOrEqual(chosen.cleanedRuns);
      // Most runs end with a promotion: a run that only ever failed would break no promise either.
      expect(promoted).toBeGreaterThan(worlds * 0.85);
    },
  );

  it('are the same for the same seed', async () => {
    const setting = await prepareWorlds();
    const [first, second] = [await story(7), await story(7)];
    expect(second).toEqual(first);
    expect(first.length).toBeGreaterThan(100);

    async function story(seed: number): Promise<string[]> {
      const lines: string[] = [];
      await runWorld({ seed, story: (line) => lines.push(line) }, setting);
      return lines;
    }
  });
});

/** Each guard of the design, the faults that it guards against, and the words of the promise that breaks without it. */
const PLANTED: Readonly<Record<Guard, { readonly faults: readonly Fault[]; readonly breaks: RegExp }>> = {
  'write block': {
    faults: ['bulk waits long and lands late', 'bulk takes effect and times out', 'worker dies in mid-range'],
    breaks: /landed through .*, whose pass had ended/,
  },
  'write alias': {
    faults: ['worker paused past its lease', 'machine outlives its end'],
    breaks: /landed through .*, whose pass had ended/,
  },
  epoch: {
    faults: [
      'orchestrator paused past its lease',
      'call to a worker takes effect and times out',
      'worker is slow',
    ],
    breaks: /obeyed epoch \d+ of .* after epoch \d+/,
  },
  'single decrement': {
    faults: ['view of the fleet is stale', 'worker is slow'],
    breaks: /was decremented twice/,
  },
  'settled key': {
    faults: ['bulk waits long and lands late', 'worker dies in mid-range'],
    breaks: /counts \d+ rows in .*, the table has \d+/,
  },
  'independent count': {
    faults: ['worker counts what it never sent'],
    breaks: /is promoted without/,
  },
  adoption: {
    faults: ['worker has a task that nobody knows', 'worker is slow'],
    breaks: /is given .* while it works on .*, which nobody gave it/,
  },
  placement: {
    faults: ['keys are NULL'],
    breaks: /is promoted, and \d+ rows of the table are nowhere/,
  },
  'trial alias': {
    faults: ['alias has properties'],
    breaks: /is promoted, and readers find \d+ of its \d+ documents/,
  },
  'shrink limit': {
    faults: ['table is emptied'],
    breaks: /is promoted, and nobody gave leave to shrink/,
  },
  'last index': {
    faults: ['table is emptied'],
    breaks: /places-before with \d+ documents is deleted/,
  },
  'dropped values': {
    faults: ['cluster indexes less than it stores'],
    breaks: /finds \d+ of its \d+ documents by what they hold/,
  },
  'found samples': {
    faults: ['cluster indexes less than it stores'],
    breaks: /finds \d+ of its \d+ documents by what they hold/,
  },
  'age of the proof': {
    faults: ['person looks long before the promotion'],
    breaks: /is promoted on a proof that is \d+ minutes old/,
  },
  'state of the table': {
    faults: ['person looks long before the promotion'],
    breaks: /is promoted on a proof, though \d+ rows were written since/,
  },
  'refused clean-up': {
    faults: ['clean-up is refused'],
    breaks: /has moved the alias, and exits with 1/,
  },
  patience: {
    faults: ['cluster is busy for minutes'],
    breaks: /does not wait for a busy cluster/,
  },
  'claim on the alias': {
    faults: ['two fleets on one alias'],
    breaks: /is promoted while a run of another fleet builds/,
  },
  'index of another fleet': {
    faults: ['two fleets on one alias'],
    breaks: /of another fleet, and nobody gave leave/,
  },
  'changed rows': {
    faults: ['rows change after they were read', 'worker is slow'],
    breaks: /is promoted with rows as they were before it was proven/,
  },
};
const MOST_WORLDS = 150;

describe('the simulation without one guard', { timeout: 300_000 }, () => {
  sampled(Object.entries(PLANTED), 1)('breaks a promise: no %s', async ([guard, { faults, breaks }]) => {
    const setting = await prepareWorlds();
    let found: WorldOutcome | null = null;
    for (let seed = 1; seed <= MOST_WORLDS && found === null; seed += 1) {
      const outcome = await runWorld({ seed, faults, without: new Set([guard as Guard]) }, setting);
      if (outcome.broken !== null) found = outcome;
    }
    expect(found?.broken).toMatch(breaks);
    // The same world keeps every promise when the guard is there.
    expect((await runWorld({ seed: found?.seed ?? 0, faults }, setting)).broken).toBeNull();
  });
});
