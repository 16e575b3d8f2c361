import { randomInt } from 'node:crypto';
import { describe, expect, inject } from 'vitest';
import { OWN_BUILD } from '../cases/build-command.ts';
import { findCases, inOrderOf } from '../cases/find-cases.ts';
import { playCase } from '../cases/play.ts';
import { sampled } from '../support/sampled.ts';

/** `CASES_SEED` repeats a choice. */
const SEED = Number(process.env['CASES_SEED'] ?? randomInt(2 ** 31));
/** How many of them `npm test` plays. The others are long tests, and `npm run cases` plays all of them. */
const CHOSEN = 1;
const SEARCH = inject('searchUrl');

const cases = inOrderOf(SEED, await findCases());

describe.skipIf(SEARCH === null)(
  `what real tables and clusters did to runs, in the order of CASES_SEED=${SEED}`,
  { timeout: 180_000 },
  () => {
    sampled(cases, CHOSEN)('case $name gives what is right: $theCase.right', async (each) => {
      const theatre = { postgresUrl: inject('postgresUrl'), searchUrl: SEARCH ?? '', main: OWN_BUILD };
      expect(await playCase(each, theatre)).toEqual({ ok: true, got: expect.any(String) });
    });
  },
);
