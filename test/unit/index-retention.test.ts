import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IndexMeta, metaOf } from '../../orchestrator/index/index-meta.ts';
import { planRetention, type RetainedIndex, type RetentionRule } from '../../orchestrator/index/retain.ts';

const RULE: RetentionRule = { alias: 'items', fleet: 'a', current: 'items-9', claimedRun: null, retain: 1 };

function entry(
  run: string,
  changes: Partial<IndexMeta> = {},
  aliases: readonly string[] = [],
): RetainedIndex {
  const meta: IndexMeta = {
    schema: 1,
    fleet: 'a',
    run,
    run_key: run,
    alias: 'items',
    definition: 'items',
    definition_digest: 'd',
    role: 'target',
    created_at: '2024-01-01',
    ...changes,
  };
  return { index: `items-${run}${meta.role === 'target' ? '' : '-dead-letters'}`, aliases, meta };
}
const pair = (
  run: string,
  changes: Partial<IndexMeta> = {},
  aliases: readonly string[] = [],
): RetainedIndex[] => [entry(run, changes, aliases), entry(run, { ...changes, role: 'dead_letters' })];
const promoted = (day: number): Partial<IndexMeta> => ({ promoted_at: `2024-01-0${day}T00:00:00.000Z` });

describe('the plan of index retention', () => {
  it('keeps the newest promoted indexes, and deletes leftovers together with their companion indexes', () => {
    const indexes = [
      ...pair('9', promoted(9), ['items']),
      ...pair('8'),
      ...pair('7', promoted(5)),
      ...pair('6', promoted(7)),
      ...pair('5', promoted(2)),
    ];
    const { kept, deleted } = planRetention(indexes, RULE);
    expect(kept).toEqual(['items-6']);
    expect([...deleted].sort()).toEqual(
      ['5', '7', '8'].flatMap((run) => [`items-${run}`, `items-${run}-dead-letters`]),
    );
  });

  it('keeps an index that is needed for a rollback with its companion index, however few are to be kept', () => {
    const indexes = [
      ...pair('9', promoted(9), ['items']),
      ...pair('8', promoted(8)),
      ...pair('7', promoted(7)),
    ];
    const { kept, deleted } = planRetention(indexes, { ...RULE, retain: 0, needed: 'items-7' });
    expect(kept).toEqual(['items-7']);
    expect([...deleted].sort()).toEqual(['items-8', 'items-8-dead-letters']);
  });

  it('deletes a companion index whose target is gone, and nothing of a claimed run', () => {
    const lonely = entry('1', { role: 'dead_letters' });
    expect(planRetention([lonely, ...pair('2')], { ...RULE, claimedRun: '2' }).deleted).toEqual([
      lonely.index,
    ]);
  });

  it('counts an index as managed only if its metadata is complete', () => {
    const { meta } = entry('1');
    const read = (reindex_fleet: unknown): IndexMeta | null =>
      metaOf({ mappings: { _meta: { reindex_fleet } } });
    expect(read({ ...meta, later: 1 })).toEqual({ ...meta, later: 1 });
    for (const name of Object.keys(meta ?? {})) expect(read({ ...meta, [name]: undefined })).toBeNull();
    expect(read({ ...meta, role: 'guest' })).toBeNull();
    expect(read('ours')).toBeNull();
  });

  it('never deletes an index that is unmanaged, of another fleet or alias, aliased, claimed or current', () => {
    const someIndex = fc.record({
      run: fc.constantFrom('1', '2', '3', '9'),
      fleet: fc.constantFrom('a', 'b'),
      alias: fc.constantFrom('items', 'items-eu'),
      role: fc.constantFrom('target' as const, 'dead_letters' as const),
      day: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }),
      aliased: fc.boolean(),
      ours: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(someIndex, { maxLength: 12 }),
        fc.integer({ min: 0, max: 3 }),
        fc.option(fc.constantFrom('1', '2'), { nil: null }),
        (some, retain, claimedRun) => {
          const indexes = some.map(({ run, fleet, alias, role, day, aliased, ours }, i): RetainedIndex => {
            const made = entry(
              run,
              { fleet, alias, role, ...(day === null ? {} : promoted(day)) },
              aliased ? ['x'] : [],
            );
            return {
              ...made,
              index: run === '9' && role === 'target' ? 'items-9' : `${made.index}-${i}`,
              meta: ours ? made.meta : null,
            };
          });
          const { kept, deleted } = planRetention(indexes, { ...RULE, retain, claimedRun });
          for (const { index, aliases, meta } of indexes.filter((candidate) =>
            deleted.includes(candidate.index),
          )) {
            expect(meta).toMatchObject({ fleet: 'a', alias: 'items' });
            expect(aliases).toEqual([]);
            expect(meta?.run).not.toBe(claimedRun);
            expect(index).not.toBe('items-9');
            expect(kept).not.toContain(index);
          }
        },
      ),
    );
  });
});
