import { describe, expect, inject, it } from 'vitest';
import { OWN_BUILD } from '../cases/build-command.ts';
import { findCases } from '../cases/find-cases.ts';
import { playCase } from '../cases/play.ts';

const SEARCH = inject('searchUrl');
const cases = await findCases();

/** `npm run cases` plays them too. Each shows again, by commands alone, what other tests show. */
describe.skipIf(SEARCH === null)('what real tables and clusters did to runs', { timeout: 180_000 }, () => {
  it.for(cases)('case $name gives what is right: $theCase.right', { tags: 'long' }, async (each) => {
    const theatre = { postgresUrl: inject('postgresUrl'), searchUrl: SEARCH ?? '', main: OWN_BUILD };
    expect(await playCase(each, theatre)).toEqual({ ok: true, got: expect.any(String) });
  });
});
