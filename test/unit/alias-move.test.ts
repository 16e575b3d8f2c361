import { describe, expect, it } from 'vitest';
import { foreignFaults, type KnownHolder } from '../../orchestrator/index/alias-holders.ts';
import { hidesDocuments } from '../../orchestrator/index/readers-view.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import { isShrunk, lostWords, shrinkageOf } from '../../orchestrator/index/shrink.ts';
import { otherClaimingRun } from '../../orchestrator/run/alias-claim.ts';
import { outlookFaults } from '../../orchestrator/run/alias-outlook.ts';

const WANTED = { alias: 'books', fleet: 'a' };

function holder(index: string, fleet: string | null, alias = 'books'): KnownHolder {
  const meta = {
    schema: 1,
    fleet: fleet ?? '',
    run: 'r',
    run_key: 'k',
    alias,
    definition: 'books',
    definition_digest: 'd',
    role: 'target',
    created_at: '2026-01-01',
  } as const;
  return { index, config: {}, meta: fleet === null ? null : meta };
}

describe('an alias', () => {
  it.for([
    ['no index', []],
    ['an index of its own fleet', [holder('books-1', 'a')]],
    ['one index that was made by hand', [holder('old', null)]],
  ] as const)('may leave %s', ([, holders]) => {
    expect(foreignFaults(holders, WANTED)).toEqual([]);
  });

  it.for([
    [
      'the index of another fleet',
      [holder('books-2', 'b')],
      'books-2 (the fleet b built it for the alias books)',
    ],
    ['its own fleet’s index of another alias', [holder('maps-1', 'a', 'maps')], 'for the alias maps'],
    [
      'two indexes that were made by hand',
      [holder('old', null), holder('older', null)],
      'older (no fleet built it)',
    ],
    [
      'one made by hand beside its own',
      [holder('books-1', 'a'), holder('old', null)],
      'old (no fleet built it)',
    ],
  ] as const)('may not leave %s', ([, holders, words]) => {
    expect(foreignFaults(holders, WANTED)).toEqual([expect.stringContaining(words)]);
  });
});

describe('an index has shrunk', () => {
  it('when it lost more per cent of its documents than the limit, or all of them', () => {
    expect(isShrunk({ before: 1_000, after: 500 }, 50)).toBe(false);
    expect(isShrunk({ before: 1_000, after: 499 }, 50)).toBe(true);
    expect(isShrunk({ before: 1, after: 0 }, 100)).toBe(true);
    expect(isShrunk({ before: 1_000, after: 1 }, 100)).toBe(false);
  });

  it('never when nothing was there, or when it grew', () => {
    expect(isShrunk({ before: 0, after: 0 }, 0)).toBe(false);
    expect(isShrunk({ before: 10, after: 11 }, 0)).toBe(false);
  });

  it('is said with digits that show the share above the limit and below all', () => {
    expect(lostWords({ before: 2_000, after: 999 }, 50)).toBe('50.05 %');
    expect(lostWords({ before: 100, after: 25 }, 50)).toBe('75.0 %');
    expect(lostWords({ before: 1_000_000, after: 1 }, 50)).toBe('99.9999 %');
  });

  it('in the view that lost the most: through the alias or in the index itself', () => {
    const served = { throughAlias: 10, direct: 100 };
    expect(shrinkageOf(served, { throughAlias: 0, direct: 100 }, 50)).toMatchObject({
      view: 'through the alias',
      before: 10,
      after: 0,
    });
    expect(shrinkageOf(served, { throughAlias: 10, direct: 20 }, 50)).toMatchObject({
      view: 'in the index itself',
    });
    expect(shrinkageOf(served, { throughAlias: 9, direct: 90 }, 50)).toBe(null);
  });
});

it('an alias hides documents when a search or a look by id finds fewer than fit its filter', () => {
  const view = { throughAlias: 7, direct: 10, fitting: 7, asked: 0, given: 0 };
  expect(hidesDocuments(view)).toBe(false);
  expect(hidesDocuments({ ...view, throughAlias: 3 })).toBe(true);
  expect(hidesDocuments({ ...view, asked: 10, given: 4 })).toBe(true);
});

it('an alias with other properties on one index than on another is refused before a run begins, also where its indexes may be replaced', async () => {
  const cluster = answering({
    '/_alias/books': {
      a: { aliases: { books: { search_routing: 'r' } } },
      b: { aliases: { books: {} } },
    },
  });
  expect(await outlookFaults(cluster, { ...WANTED, foreign: true })).toEqual([
    expect.stringContaining('the alias books has other settings (filter, routing) on a than on b'),
  ]);
});

it("retention is told of another run that holds the alias, and not of the run's own claim", async () => {
  const claim = {
    schema: 1,
    fleet: 'a',
    journal: 'elsewhere',
    host: 'elsewhere',
    run_key: 'k',
    run: 'r-1',
    since: '2026-01-01T00:00:00.000Z',
    serves: [],
  };
  const cluster = answering({
    '/books-claims/_doc/claim': { found: true, _seq_no: 0, _primary_term: 1, _source: { claim } },
  });
  const own = { fleet: 'a', run: 'r-1', runKey: 'k' };
  expect(await otherClaimingRun(cluster, 'books', own)).toBe(null);
  expect(await otherClaimingRun(cluster, 'books', { ...own, run: 'r-2' })).toBe('r-1');
  expect(await otherClaimingRun(answering({}), 'books', own)).toBe(null);
});

/** A cluster that has these answers and no others. */
function answering(answers: Readonly<Record<string, unknown>>): SearchCalls {
  const callOrNull = (_method: string, path: string) => Promise.resolve(answers[path] ?? null);
  return { where: 'nowhere', callOrNull } as unknown as SearchCalls;
}
