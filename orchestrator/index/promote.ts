import { isDeepStrictEqual } from 'node:util';
import { RunFailed } from '../errors.ts';
import { type AliasHolder, aliasHolderSchema, type Promotion } from '../reconcile/promotion.ts';
import { ClusterError, read } from './cluster-error.ts';
import type { SearchCalls } from './search-calls.ts';
import { notePromotion } from './index-meta.ts';

/** A move of an alias to a new index. */
export interface AliasMove {
  readonly alias: string;
  readonly index: string;
  /** Where the alias pointed when the move was decided. If it points elsewhere now, somebody has moved it since. */
  readonly expected: readonly AliasHolder[];
}

/** Where an alias points now. Empty if there is no such alias. */
export async function readAlias(cluster: SearchCalls, alias: string): Promise<AliasHolder[]> {
  const answer = await cluster.callOrNull('GET', `/_alias/${encodeURIComponent(alias)}`);
  return Object.entries(answer ?? {}).map(([index, entry]) => ({
    index,
    config: aliasHolderSchema.shape.config.parse(read(read(entry, 'aliases'), alias) ?? {}),
  }));
}

/**
 * Moves aliases, all in one call. Each leaves every index that had it and comes to the new one, with its filter and
 * routing. The result is read back. The call may be repeated: an alias that has moved already is done.
 */
export async function promoteTargets(
  cluster: SearchCalls,
  moves: readonly AliasMove[],
): Promise<readonly Promotion[]> {
  const at = new Date().toISOString();
  const promotions = moves.map(({ alias, index, expected }): Promotion => {
    const removed = expected.filter((holder) => holder.index !== index);
    return { alias, at, removed, added: { index, config: commonConfig(alias, removed) } };
  });
  const swaps: AliasSwap[] = [];
  for (const [i, { alias, index, expected }] of moves.entries()) {
    const now = await readAlias(cluster, alias);
    if (pointsTo(now, [index])) continue;
    if (!pointsTo(now, indexesOf(expected))) {
      throw new RunFailed(
        `the alias ${alias} was moved by somebody else: it pointed to ${namesOf(expected)} and now points to ${namesOf(now)}. Find out who moved it, and run the same command again.`,
      );
    }
    const promotion = promotions[i];
    if (promotion !== undefined) swaps.push({ alias, from: promotion.removed, to: [promotion.added] });
  }
  await swapAll(cluster, swaps);
  for (const { added } of promotions) await notePromotion(cluster, added.index, at);
  return promotions;
}

export interface AliasSwap {
  readonly alias: string;
  readonly from: readonly AliasHolder[];
  readonly to: readonly AliasHolder[];
}

/**
 * Removes and adds aliases in one atomic call, then reads the result back. So a lost answer does no harm, and the call
 * may be repeated: what it removes must exist, so it takes effect only once.
 */
export async function swapAll(cluster: SearchCalls, swaps: readonly AliasSwap[]): Promise<void> {
  if (swaps.length === 0) return;
  const actions = (mustExist: boolean) =>
    swaps.flatMap(({ alias, from, to }) => [
      ...from.map(({ index }) => ({ remove: { index, alias, ...(mustExist ? { must_exist: true } : {}) } })),
      ...to.map(({ index, config }) => ({ add: { index, alias, ...config } })),
    ]);
  let failure: ClusterError | null = null;
  try {
    await cluster.call('POST', '/_aliases', { actions: actions(true) });
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    // Engines that do not know the option refuse the whole call. Reading back is the check then.
    if (error.status === 400 && error.message.includes('must_exist'))
      await cluster.call('POST', '/_aliases', { actions: actions(false) }, { repeatable: false });
    // A repeated call finds that the first one, whose answer was lost, has removed the alias already.
    else if (error.status !== 0 && error.status < 500 && error.status !== 404) throw error;
    else failure = error;
  }
  for (const { alias, to } of swaps) {
    const now = await readAlias(cluster, alias);
    if (pointsTo(now, indexesOf(to))) continue;
    throw new RunFailed(
      `the alias ${alias} points to ${namesOf(now)} after it was moved to ${namesOf(to)}: look at the cluster, then run the same command again${failure === null ? '' : `: ${failure.message}`}`,
    );
  }
}

function indexesOf(holders: readonly AliasHolder[]): string[] {
  return holders.map(({ index }) => index);
}

export function pointsTo(holders: readonly AliasHolder[], indexes: readonly string[]): boolean {
  return holders.length === indexes.length && holders.every((holder) => indexes.includes(holder.index));
}

export function namesOf(holders: readonly AliasHolder[]): string {
  return holders.length === 0 ? 'no index' : holders.map((holder) => holder.index).join(', ');
}

/**
 * The filter and routing that readers keep. If the indexes of an alias differ in them, nobody can say which to keep.
 */
export function commonConfig(alias: string, holders: readonly AliasHolder[]): AliasHolder['config'] {
  const [first, ...others] = holders;
  if (first === undefined) return {};
  const { is_write_index: _, ...config } = first.config;
  const writeIndexes = holders.filter((holder) => holder.config.is_write_index === true);
  const differing = others.find(
    (holder) =>
      !isDeepStrictEqual(
        { ...holder.config, is_write_index: undefined },
        { ...config, is_write_index: undefined },
      ),
  );
  if (differing === undefined)
    return writeIndexes.length > 0 ? { ...config, is_write_index: true } : first.config;
  throw new RunFailed(
    `the alias ${alias} has other settings (filter, routing) on ${first.index} than on ${differing.index}: give it the same settings on both, then run the same command again`,
  );
}
