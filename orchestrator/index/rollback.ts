import { RunFailed } from '../errors.ts';
import type { SearchCalls } from './search-calls.ts';
import { describeIndex, metaOf, notePromotion } from './index-meta.ts';
import { namesOf, pointsTo, type PromotionRecord, readAlias, swap } from './promote.ts';

export interface RollbackRecord {
  readonly alias: string;
  readonly left: string;
  readonly restored: readonly string[];
  /** Since when each restored index may be behind the table; null: not an index of ours. */
  readonly staleness: readonly { readonly index: string; readonly read_from: string | null }[];
}

/** Inverts a recorded promotion: all of it, or nothing. */
export async function rollbackPromotion(
  cluster: SearchCalls,
  record: PromotionRecord,
): Promise<RollbackRecord> {
  const { alias, removed, added } = record;
  if (removed.length === 0)
    throw new RunFailed(`${alias} served no index before ${added.index}: there is nothing to roll back to`);
  const now = await readAlias(cluster, alias);
  const restored = removed.map(({ index }) => index);
  if (!pointsTo(now, restored)) {
    if (!pointsTo(now, [added.index])) {
      throw new RunFailed(
        `${alias} points to ${namesOf(now)}, not to ${added.index}, where that run left it: somebody moved it since, and nothing is changed`,
      );
    }
    await requireAll(cluster, restored);
    await swap(cluster, alias, [added], removed);
  }
  // Retention keeps what served last: from now on that is these.
  const at = new Date().toISOString();
  for (const index of restored) await notePromotion(cluster, index, at);
  return { alias, left: added.index, restored, staleness: await stalenessOf(cluster, restored) };
}

async function requireAll(cluster: SearchCalls, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    if ((await describeIndex(cluster, index)) === null)
      throw new RunFailed(`${index}, which was served before, is deleted: nothing is changed`);
  }
}

async function stalenessOf(
  cluster: SearchCalls,
  indexes: readonly string[],
): Promise<RollbackRecord['staleness']> {
  return Promise.all(
    indexes.map(async (index) => {
      const there = await describeIndex(cluster, index);
      return { index, read_from: (there === null ? null : metaOf(there))?.created_at ?? null };
    }),
  );
}
