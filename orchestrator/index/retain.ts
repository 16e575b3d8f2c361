import type { SearchCalls } from './search-calls.ts';
import { deleteOwnIndex } from './delete-index.ts';
import { countFound } from './readers-view.ts';
import { isShrunk } from './shrink.ts';
import { type IndexDescription, type IndexMeta, metaOf } from './index-meta.ts';

export interface RetentionRule {
  readonly alias: string;
  readonly fleet: string;
  /** The index that the alias serves. It stays. Null when there is none yet. */
  readonly current: string | null;
  /** A run whose claim holds its indexes. Null when there is none. */
  readonly claimedRun: string | null;
  /** How many earlier promoted indexes stay. */
  readonly retain: number;
  /** An index that stays whatever `retain` says. Absent when there is none. */
  readonly needed?: string | null;
}

/** What retention knows of an index. */
export interface RetainedIndex {
  readonly index: string;
  readonly aliases: readonly string[];
  readonly meta: IndexMeta | null;
}

export interface Retention {
  readonly kept: readonly string[];
  readonly deleted: readonly string[];
}

/**
 * Decides which indexes of earlier runs stay and which go. Pure. It deletes only indexes with our mark for this fleet
 * and alias, none with any alias, and none of a claimed run. The newest promoted ones stay. Leftovers of failed or
 * abandoned runs go. A companion goes with its target.
 */
export function planRetention(indexes: readonly RetainedIndex[], rule: RetentionRule): Retention {
  const ours = indexes.flatMap(({ index, aliases, meta }) =>
    meta !== null && meta.fleet === rule.fleet && meta.alias === rule.alias && index !== rule.current
      ? [{ index, aliases, meta }]
      : [],
  );
  const targets = ours.filter(({ meta }) => meta.role === 'target');
  const promoted = promotedFirst(targets).filter(
    ({ aliases, meta }) => aliases.length === 0 && meta.run !== rule.claimedRun,
  );
  const stays = new Set(promoted.slice(0, rule.retain).map(({ index }) => index));
  if (rule.needed !== undefined && rule.needed !== null) stays.add(rule.needed);
  const isFree = ({ aliases, meta, index }: (typeof ours)[number]): boolean =>
    aliases.length === 0 && meta.run !== rule.claimedRun && !stays.has(index);
  const deletedTargets = targets.filter(isFree);
  const keptRuns = new Set(
    targets.filter((target) => !deletedTargets.includes(target)).map(({ meta }) => meta.run),
  );
  const currentRun = indexes.find(({ index }) => index === rule.current)?.meta?.run;
  const deletedCompanions = ours.filter(
    (entry) =>
      entry.meta.role !== 'target' &&
      isFree(entry) &&
      !keptRuns.has(entry.meta.run) &&
      entry.meta.run !== currentRun,
  );
  return {
    kept: targets.filter((target) => !deletedTargets.includes(target)).map(({ index }) => index),
    deleted: [...deletedTargets, ...deletedCompanions].map(({ index }) => index),
  };
}

/** The indexes that served readers once, newest first. */
function promotedFirst<T extends { readonly meta: IndexMeta }>(indexes: readonly T[]): T[] {
  return indexes
    .filter(({ meta }) => meta.promoted_at !== undefined)
    .sort((a, b) => (b.meta.promoted_at ?? '').localeCompare(a.meta.promoted_at ?? ''));
}

/**
 * Deletes what `planRetention` says. It looks at each index once more before, because an alias may have come to it. The
 * last index that had documents stays while the one in its place is empty, or has lost more of them than
 * `shrinkLimit` per cent. It may be repeated.
 */
export async function retainIndexes(
  cluster: SearchCalls,
  rule: Omit<RetentionRule, 'needed'> & { readonly shrinkLimit: number },
  signal: AbortSignal,
): Promise<Retention> {
  const indexes = await listIndexes(cluster, rule.alias);
  const retention = planRetention(indexes, {
    ...rule,
    needed: await lastWithDocuments(cluster, indexes, rule),
  });
  for (const { index, meta } of indexes) {
    if (meta === null || !retention.deleted.includes(index)) continue;
    signal.throwIfAborted();
    await deleteOwnIndex(cluster, index, meta.run);
  }
  return retention;
}

/** The last index that had documents, if it has many more than the current one. Else null. */
async function lastWithDocuments(
  cluster: SearchCalls,
  indexes: readonly RetainedIndex[],
  rule: Omit<RetentionRule, 'needed'> & { readonly shrinkLimit: number },
): Promise<string | null> {
  const { deleted } = planRetention(indexes, rule);
  const former = promotedFirst(
    indexes.flatMap(({ index, meta }) => (meta === null ? [] : [{ index, meta }])),
  );
  if (rule.current === null || !former.some(({ index }) => deleted.includes(index))) return null;
  const after = await countFound(cluster, rule.current);
  for (const { index, meta } of former) {
    if (index === rule.current || meta.role !== 'target') continue;
    if (meta.fleet !== rule.fleet || meta.alias !== rule.alias) continue;
    const before = await countFound(cluster, index);
    if (before > 0) return isShrunk({ before, after }, rule.shrinkLimit) ? index : null;
  }
  return null;
}

/** The indexes that a run would keep and delete if it began now and had moved the alias. */
export async function previewRetention(
  cluster: SearchCalls,
  rule: Omit<RetentionRule, 'current'>,
): Promise<Retention> {
  const indexes = await listIndexes(cluster, rule.alias);
  const afterwards = indexes.map(({ aliases, ...entry }) => ({
    ...entry,
    aliases: aliases.filter((name) => name !== rule.alias),
  }));
  return planRetention(afterwards, { ...rule, current: null });
}

async function listIndexes(cluster: SearchCalls, alias: string): Promise<RetainedIndex[]> {
  const path = `/${encodeURIComponent(alias)}-*?expand_wildcards=all&filter_path=*.aliases,*.mappings._meta`;
  const found = (await cluster.callOrNull('GET', path)) as Record<string, Partial<IndexDescription>> | null;
  return Object.entries(found ?? {}).map(([index, { aliases = {}, mappings = {} }]) => ({
    index,
    aliases: Object.keys(aliases),
    meta: metaOf({ mappings }),
  }));
}
