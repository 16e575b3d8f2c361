import { RunFailed } from '../errors.ts';
import type { Promotion, Reversal } from '../reconcile/promotion.ts';
import type { SearchCalls } from './search-calls.ts';
import { describeIndex, metaOf, notePromotion } from './index-meta.ts';
import { type AliasSwap, namesOf, pointsTo, readAlias, swapAll } from './promote.ts';

/** Reverses recorded promotions: all of them, or nothing. It may be repeated. */
export async function rollbackPromotions(
  cluster: SearchCalls,
  promotions: readonly Promotion[],
): Promise<Reversal[]> {
  const swaps: AliasSwap[] = [];
  for (const promotion of promotions) swaps.push(...(await reversalOf(cluster, promotion)));
  await swapAll(cluster, swaps);
  // Retention keeps what served last. From now on that is these indexes.
  const at = new Date().toISOString();
  const reversals: Reversal[] = [];
  for (const { alias, removed, added } of promotions) {
    const restored = removed.map(({ index }) => index);
    for (const index of restored) await notePromotion(cluster, index, at);
    reversals.push({ alias, left: added.index, restored, staleness: await stalenessOf(cluster, restored) });
  }
  return reversals;
}

/** The move that reverses a promotion. Empty when the alias is back already. */
async function reversalOf(cluster: SearchCalls, { alias, removed, added }: Promotion): Promise<AliasSwap[]> {
  if (removed.length === 0)
    throw new RunFailed(`${alias} served no index before ${added.index}: there is nothing to roll back to`);
  const now = await readAlias(cluster, alias);
  const restored = removed.map(({ index }) => index);
  if (pointsTo(now, restored)) return [];
  if (!pointsTo(now, [added.index])) {
    throw new RunFailed(
      `${alias} points to ${namesOf(now)}, but the run moved it to ${added.index}. Somebody has moved it since, so nothing was changed: ask who, and move it in the cluster if it must move`,
    );
  }
  await requireAll(cluster, restored);
  return [{ alias, from: [added], to: removed }];
}

async function requireAll(cluster: SearchCalls, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    const description = await describeIndex(cluster, index);
    if (description === null)
      throw new RunFailed(
        `the index ${index}, which was served before, has been deleted, so nothing was changed: restore it from a snapshot, or build a new one with \`reindex-fleet run\``,
      );
    if (description.settings['index.verified_before_close'] === 'true')
      throw new RunFailed(
        `the index ${index}, which was served before, is closed, so nothing was changed: open it (POST /${index}/_open), and give the same command again`,
      );
  }
}

async function stalenessOf(cluster: SearchCalls, indexes: readonly string[]): Promise<Reversal['staleness']> {
  return Promise.all(
    indexes.map(async (index) => {
      const there = await describeIndex(cluster, index);
      return { index, read_from: (there === null ? null : metaOf(there))?.created_at ?? null };
    }),
  );
}
