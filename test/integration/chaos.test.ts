import { randomInt } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { planOf } from '../chaos/faults.ts';
import { playRound, type RoundReport } from '../chaos/round.ts';

/** A round with more takes minutes: `npm run chaos` plays those. */
const SHORT = { mostRuns: 1, mostFaults: 3 };

it.skipIf(inject('searchUrl') === null)(
  'an index that was made through kills, pauses and cuts equals its table',
  { timeout: 600_000, tags: 'long' },
  async () => {
    const seed = randomInt(1, 2 ** 31 - 1);
    console.log(`A round of chaos, seed ${seed}.`);
    const told: string[] = [];
    let report: RoundReport | null = null;
    try {
      report = await playRound(planOf(seed, SHORT), {
        tell: (line) => told.push(line),
        signal: AbortSignal.timeout(540_000),
      });
    } finally {
      if (report === null || report.problem !== null) console.log(told.join('\n'));
    }

    expect(report).toMatchObject({ problem: null, differing: 0 });
    expect(report.documents).toBeGreaterThan(4_000);
  },
);
