import { isDeepStrictEqual } from 'node:util';
import { RunFailed } from '../errors.ts';
import { ClusterError, read } from './cluster-error.ts';
import type { SearchCalls } from './search-calls.ts';
import { notePromotion } from './index-meta.ts';

/** One index that an alias points to, with the alias's own settings there: filter, routing, write index. */
export interface AliasHolder {
  readonly index: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A move of an alias, with all that is needed to invert it. */
export interface PromotionRecord {
  readonly alias: string;
  readonly at: string;
  readonly removed: readonly AliasHolder[];
  readonly added: AliasHolder;
}

/** Where an alias points now; nowhere if there is none. */
export async function readAlias(cluster: SearchCalls, alias: string): Promise<AliasHolder[]> {
  const answer = await cluster.callOrNull('GET', `/_alias/${encodeURIComponent(alias)}`);
  return Object.entries(answer ?? {}).map(([index, entry]) => ({
    index,
    config: Object.fromEntries(Object.entries(read(read(entry, 'aliases'), alias) ?? {})),
  }));
}

/**
 * Moves the alias in one call: away from every index that had it, to the new one, its filter and routing kept. The
 * result is read back. May be repeated: an alias that is there already is done.
 *
 * @param move.expected where the alias pointed when the move was decided; elsewhere means that somebody moved it since
 */
export async function promoteTarget(
  cluster: SearchCalls,
  move: { readonly alias: string; readonly index: string; readonly expected: readonly AliasHolder[] },
): Promise<PromotionRecord> {
  const { alias, index } = move;
  const removed = move.expected.filter((holder) => holder.index !== index);
  const added: AliasHolder = { index, config: commonConfig(alias, removed) };
  const record: PromotionRecord = { alias, at: new Date().toISOString(), removed, added };
  const now = await readAlias(cluster, alias);
  if (!pointsTo(now, [index])) {
    if (
      !pointsTo(
        now,
        move.expected.map((holder) => holder.index),
      )
    ) {
      throw new RunFailed(
        `the alias ${alias} was moved meanwhile: it pointed to ${namesOf(move.expected)}, now to ${namesOf(now)}. Find out by whom, and run the same command again.`,
      );
    }
    await swap(cluster, alias, removed, [added]);
  }
  await notePromotion(cluster, index, record.at);
  return record;
}

/** Removes and adds in one atomic call, then reads back; an answer that got lost is settled by what is there. */
export async function swap(
  cluster: SearchCalls,
  alias: string,
  from: readonly AliasHolder[],
  to: readonly AliasHolder[],
): Promise<void> {
  const actions = (mustExist: boolean) => [
    ...from.map(({ index }) => ({ remove: { index, alias, ...(mustExist ? { must_exist: true } : {}) } })),
    ...to.map(({ index, config }) => ({ add: { index, alias, ...config } })),
  ];
  try {
    await cluster.call('POST', '/_aliases', { actions: actions(true) }, { repeatable: false });
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    // Engines from before the option refuse it as a whole; reading back is what is left then.
    if (error.status === 400 && error.message.includes('must_exist'))
      await cluster.call('POST', '/_aliases', { actions: actions(false) }, { repeatable: false });
    else if (error.status !== 0 && error.status < 500) throw error;
  }
  const now = await readAlias(cluster, alias);
  if (
    pointsTo(
      now,
      to.map(({ index }) => index),
    )
  )
    return;
  throw new RunFailed(
    `the alias ${alias} points to ${namesOf(now)} after it was moved to ${namesOf(to)}: look at the cluster, then run the same command again`,
  );
}

export function pointsTo(holders: readonly AliasHolder[], indexes: readonly string[]): boolean {
  return holders.length === indexes.length && holders.every((holder) => indexes.includes(holder.index));
}

export function namesOf(holders: readonly AliasHolder[]): string {
  return holders.length === 0 ? 'no index' : holders.map((holder) => holder.index).join(', ');
}

/** Readers keep what the alias gave them; if its indexes gave them different things, nobody can say which to keep. */
function commonConfig(alias: string, holders: readonly AliasHolder[]): AliasHolder['config'] {
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
    `the alias ${alias} has other settings (filter, routing) on ${first.index} than on ${differing.index}: make them alike first`,
  );
}
