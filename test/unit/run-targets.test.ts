import { describe, expect, it } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import { promoteTargets } from '../../orchestrator/index/promote.ts';
import { rollbackPromotions } from '../../orchestrator/index/rollback.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import { addCounts, addsUp, type Counts } from '../../orchestrator/reconcile/counts.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyState } from '../../orchestrator/reconcile/state.ts';
import type { RunContext } from '../../orchestrator/run/context.ts';
import { promotePhase } from '../../orchestrator/run/promote-phase.ts';
import { resultOf } from '../../orchestrator/run/result.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { mainPass, promotion } from '../support/run-values.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const AT = '2026-01-01T00:00:00.000Z';
const BOTH = ['cities-1', 'towns-1'];
const [ONLY_TARGET] = IDENTITY.targets;
const RUN = {
  ...IDENTITY,
  targets: [
    { ...ONLY_TARGET, index: 'cities-1', deadLetterIndex: 'cities-1-dead-letters' },
    { ...ONLY_TARGET, alias: 'towns', index: 'towns-1', deadLetterIndex: 'towns-1-dead-letters' },
  ],
} as const;
/** The same run with the first target only. */
const ONE = { ...RUN, targets: [RUN.targets[0]] } as const;
const PROOF = {
  rows: 10,
  filtered: 0,
  documents: 10,
  dead_letters: 0,
  ranges: 1,
  ranges_by_keys: 1,
  samples_compared: 10,
  rows_read_from: AT,
};

const PROVEN: RunEvent = {
  type: 'phase_finished',
  phase: 'validate',
  at: AT,
  record: { targets: BOTH.map((index) => ({ index, ...PROOF })) },
};

/** Ten rows, of which the second target leaves four out. */
const COUNTS: Counts = {
  rowsRead: 10,
  bytesSent: 100,
  retries: 1,
  targets: [
    { index: 'cities-1', indexed: 10, superseded: 0, filtered: 0, deadLetters: 0 },
    { index: 'towns-1', indexed: 5, superseded: 0, filtered: 4, deadLetters: 1 },
  ],
};

describe('the counts of a reading that feeds two indexes', () => {
  it('must add up for each index', () => {
    expect(addsUp(COUNTS, BOTH)).toBe(true);
    const [cities, towns] = COUNTS.targets;
    if (cities === undefined || towns === undefined) throw new Error('two targets');
    expect(addsUp({ ...COUNTS, targets: [cities, { ...towns, filtered: 3 }] }, BOTH)).toBe(false);
    expect(addsUp({ ...COUNTS, targets: [cities] }, BOTH)).toBe(false);
    expect(addsUp({ ...COUNTS, targets: [cities, { ...towns, index: 'villages-1' }] }, BOTH)).toBe(false);
  });

  it('are summed up index by index, in whatever order they arrive', () => {
    const reversed = { ...COUNTS, targets: COUNTS.targets.toReversed() };
    expect(addCounts(COUNTS, reversed)).toEqual({
      rowsRead: 20,
      bytesSent: 200,
      retries: 2,
      targets: [
        { index: 'cities-1', indexed: 20, superseded: 0, filtered: 0, deadLetters: 0 },
        { index: 'towns-1', indexed: 10, superseded: 0, filtered: 8, deadLetters: 2 },
      ],
    });
  });
});

describe('the aliases of two indexes', () => {
  it('move in one call, and back in one call', async () => {
    const { cluster, aliases, moves } = aliasCluster({ cities: ['cities-0'], towns: ['towns-0'] });
    const promotions = await promoteTargets(cluster, [
      { alias: 'cities', index: 'cities-1', expected: [{ index: 'cities-0', config: {} }] },
      { alias: 'towns', index: 'towns-1', expected: [{ index: 'towns-0', config: {} }] },
    ]);
    expect(aliases).toEqual({ cities: ['cities-1'], towns: ['towns-1'] });
    expect(await rollbackPromotions(cluster, promotions)).toMatchObject([
      { alias: 'cities', left: 'cities-1', restored: ['cities-0'] },
      { alias: 'towns', left: 'towns-1', restored: ['towns-0'] },
    ]);
    expect(aliases).toEqual({ cities: ['cities-0'], towns: ['towns-0'] });
    expect(moves).toHaveLength(2);
  });

  it('both stay where they are at a rollback when somebody has moved one of them since', async () => {
    const { cluster, aliases, moves } = aliasCluster({ cities: ['cities-1'], towns: ['elsewhere'] });
    const recorded = BOTH.map((index) => {
      const alias = index.slice(0, -2);
      return { ...promotion(index, alias), removed: [{ index: `${alias}-0`, config: {} }] };
    });
    await expect(rollbackPromotions(cluster, recorded)).rejects.toThrow(
      'towns points to elsewhere, but the run moved it to towns-1',
    );
    expect(aliases).toEqual({ cities: ['cities-1'], towns: ['elsewhere'] });
    expect(moves).toEqual([]);
  });

  it('can be rolled back after one was moved away and the interrupted promotion was repeated', async () => {
    const { cluster, aliases } = aliasCluster({ cities: ['cities-0'], towns: ['towns-0'] });
    const journal = await journalOf(RUN, PROVEN);
    await promotePhase(contextOf(journal, cluster));
    aliases['towns'] = ['elsewhere'];
    await expect(promotePhase(contextOf(journal, cluster))).rejects.toThrow('now serves elsewhere');
    expect(aliases['towns']).toEqual(['elsewhere']);
    await promotePhase({ ...contextOf(journal, cluster), accepts: { shrink: false, foreign: true } });
    expect(aliases).toEqual({ cities: ['cities-1'], towns: ['towns-1'] });
    await rollbackPromotions(cluster, [...journal.state.promotions.values()]);
    expect(aliases).toEqual({ cities: ['cities-0'], towns: ['elsewhere'] });
  });
});

describe('a promotion that is looked at while somebody else changes the cluster', () => {
  it('does not move an alias that was moved meanwhile', async () => {
    const { cluster, aliases, moves } = aliasCluster({ cities: ['cities-0'] }, () => {
      aliases['cities'] = ['elsewhere'];
    });
    const journal = await journalOf(ONE, PROVEN);
    await expect(promotePhase(contextOf(journal, cluster, ONE))).rejects.toThrow(
      'it pointed to cities-0 and now points to elsewhere',
    );
    expect(moves).toEqual([]);
  });

  it('moves no alias whose claim was taken away meanwhile', async () => {
    const { cluster, claims, moves } = aliasCluster({ cities: ['cities-0'] }, () => claims.clear());
    const journal = await journalOf(ONE, PROVEN);
    await expect(promotePhase(contextOf(journal, cluster, ONE))).rejects.toThrow(
      "somebody has removed this run's claim on the alias cities",
    );
    expect(moves).toEqual([]);
  });
});

it('the result of a run with two indexes lists each index with its outcome', () => {
  const events: RunEvent[] = [
    RUN,
    {
      type: 'planned',
      keyKind: 'integer',
      ranges: [{ number: '1', start: null, end: null, rows: 10, bytes: 1 }],
      bounds: null,
    },
    { type: 'pass_opened', pass: { ...mainPass(), targets: BOTH } },
    { type: 'assigned', range: 'p1-1', attempt: 1, instance: 'i-1', task: 't' },
    {
      type: 'settled',
      range: 'p1-1',
      task: 't',
      through: '10',
      counts: COUNTS,
      outcome: 'done',
      charged: false,
      reason: null,
    },
    { type: 'promoted', index: 'towns-1', record: promotion('towns-1', 'towns') },
  ];
  expect(resultOf(applyEvents(emptyState(), events), AT, null)).toMatchObject({
    rows: 10,
    targets: [
      { alias: 'cities', index: 'cities-1', indexed: 10, filtered: 0, dead_letters: 0 },
      { alias: 'towns', index: 'towns-1', indexed: 5, filtered: 4, dead_letters: 1 },
    ],
  });
});

async function journalOf(...events: readonly RunEvent[]): Promise<RunJournal> {
  const options = { store: new MemoryStore(), runFolder: 'runs/test', epoch: 1, requireHeld: () => {} };
  const journal = await RunJournal.open({ ...options, now: () => new Date(AT) });
  await journal.append(events);
  return journal;
}

/** What a promotion is told of its run. */
function contextOf(
  journal: RunJournal,
  cluster: SearchCalls,
  identity: typeof RUN | typeof ONE = RUN,
): RunContext {
  const source = 'name: cities\nalias: cities\nsource: { table: c, key: id }\ndocument: { name: c.name }\n';
  const { definition } = parseDefinition(source, 'cities.yaml');
  const described = { definition, fields: [], changedAtOid: null };
  return {
    connections: { cluster },
    offline: { settings: { target: { health_timeout_ms: 1_000 }, promote: { shrink_limit: 50 } } },
    identity,
    journal,
    targets: identity.targets.map((target) => ({ ...target, described })),
    promoteLimit: null,
    accepts: { shrink: false, foreign: false },
    clock: systemClock,
    signal: new AbortController().signal,
  } as unknown as RunContext;
}

/**
 * A cluster of which aliases, the run's claims on them, and counts are there; every index that is asked for stands.
 *
 * @param onSearch what happens in the cluster at each search
 */
function aliasCluster(aliases: Record<string, string[]>, onSearch = (): void => undefined) {
  const moves: unknown[] = [];
  const claims = new Map(Object.entries(aliases).map(([alias, serves]) => [alias, claimOf(serves)]));
  const setAlias = (alias: string, change: (indexes: string[]) => string[]): void => {
    aliases[alias] = change(aliases[alias] ?? []);
    if (aliases[alias].length === 0) delete aliases[alias];
  };
  const cluster = {
    where: 'nowhere',
    call: (_method: string, path: string, body: { actions: readonly Action[] }) => {
      if (path.endsWith('/_search')) {
        onSearch();
        return Promise.resolve(TEN_FOUND);
      }
      if (!body.actions.some(({ add }) => add?.alias.endsWith('-trial'))) moves.push(body);
      for (const { add, remove } of body.actions) {
        if (remove !== undefined)
          setAlias(remove.alias, (indexes) => indexes.filter((index) => index !== remove.index));
        if (add !== undefined) setAlias(add.alias, (indexes) => [...indexes, add.index]);
      }
      return Promise.resolve({});
    },
    callOrNull: (method: string, path: string) => {
      const [first = '', second, third = ''] = path.slice(1).split('?')[0]?.split('/') ?? [];
      if (first === '_alias')
        return Promise.resolve(
          Object.fromEntries(
            (aliases[second ?? ''] ?? []).map((held) => [held, { aliases: { [second ?? '']: {} } }]),
          ),
        );
      if (second === '_alias' && method === 'DELETE') {
        setAlias(third, (indexes) => indexes.filter((index) => index !== first));
        return Promise.resolve({});
      }
      if (second === '_doc') return Promise.resolve(claims.get(first.replace(/-claims$/, '')) ?? null);
      return Promise.resolve({ [first]: { aliases: {}, mappings: {}, settings: {} } });
    },
  };
  return { cluster: cluster as unknown as SearchCalls, aliases, claims, moves };
}

const TEN_FOUND = { _shards: { total: 1, successful: 1, failed: 0 }, hits: { total: { value: 10 } } };

/** The document by which the run holds an alias that served these indexes when it began. */
function claimOf(serves: readonly string[]): unknown {
  const { fleet, run, runKey: run_key } = RUN;
  const claim = { schema: 1, fleet, journal: 'here', host: 'here', run_key, run, since: AT, serves };
  return { found: true, _seq_no: 0, _primary_term: 1, _source: { claim } };
}

interface Action {
  readonly add?: { readonly alias: string; readonly index: string };
  readonly remove?: { readonly alias: string; readonly index: string };
}
