import type { AliasHolder } from '../reconcile/promotion.ts';
import { describeIndex, type IndexMeta, metaOf } from './index-meta.ts';
import type { SearchCalls } from './search-calls.ts';

/** An index that an alias serves, with what it says about the run that built it. Null: no run did. */
export interface KnownHolder extends AliasHolder {
  readonly meta: IndexMeta | null;
}

export async function knowHolders(
  cluster: SearchCalls,
  holders: readonly AliasHolder[],
): Promise<KnownHolder[]> {
  return Promise.all(
    holders.map(async (holder) => {
      const description = await describeIndex(cluster, holder.index);
      return { ...holder, meta: description === null ? null : metaOf(description) };
    }),
  );
}

/**
 * Why a run may not take an alias away from the indexes that it serves. Empty when it may. One index that was made by
 * hand may be replaced: that is how an alias comes to a fleet. Several cannot, because the new index has the documents
 * of one table only. And the index of another fleet is what that fleet's readers want.
 */
export function foreignFaults(
  holders: readonly KnownHolder[],
  { alias, fleet }: { readonly alias: string; readonly fleet: string },
): string[] {
  const others = holders.filter(({ meta }) => meta?.fleet !== fleet || meta.alias !== alias);
  const isAdopted = holders.length === 1 && others.every(({ meta }) => meta === null);
  if (others.length === 0 || isAdopted) return [];
  const words = others.map(({ index, meta }) =>
    meta === null
      ? `${index} (no fleet built it)`
      : `${index} (the fleet ${meta.fleet} built it for the alias ${meta.alias})`,
  );
  return [
    `the alias ${alias} also serves what the fleet ${fleet} did not build, and would lose it: ${words.join(', ')}. Take the alias away from ${others.length === 1 ? 'this index' : 'these indexes'}, or accept the loss with --replace-foreign.`,
  ];
}
