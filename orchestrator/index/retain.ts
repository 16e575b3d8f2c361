import type { SearchCalls } from './search-calls.ts';
import { deleteOwnIndex } from './create.ts';
import { type IndexDescription, type IndexMeta, metaOf } from './index-meta.ts';

export interface RetentionRule {
  readonly alias: string;
  readonly fleet: string;
  /** The index that the alias serves and that stays; null: none yet. */
  readonly current: string | null;
  /** A run whose indexes are held by a claim; null: none. */
  readonly claimedRun: string | null;
  /** How many formerly promoted indexes stay. */
  readonly retain: number;
}

/** An index as retention sees it. */
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
 * Which indexes of earlier runs stay and which go. Pure. Only indexes with our mark for this fleet and alias are ever
 * deleted, none with any alias, none of a claimed run. The newest promoted ones stay; leftovers of runs that failed
 * or were abandoned go; a companion goes with its target.
 */
export function planRetention(indexes: readonly RetainedIndex[], rule: RetentionRule): Retention {
  const ours = indexes.flatMap(({ index, aliases, meta }) =>
    meta !== null && meta.fleet === rule.fleet && meta.alias === rule.alias && index !== rule.current
      ? [{ index, aliases, meta }]
      : [],
  );
  const targets = ours.filter(({ meta }) => meta.role === 'target');
  const promoted = targets
    .filter(
      ({ aliases, meta }) =>
        aliases.length === 0 && meta.promoted_at !== undefined && meta.run !== rule.claimedRun,
    )
    .sort((a, b) => (b.meta.promoted_at ?? '').localeCompare(a.meta.promoted_at ?? ''));
  const stays = new Set(promoted.slice(0, rule.retain).map(({ index }) => index));
  const isFree = ({ aliases, meta, index }: (typeof ours)[number]): boolean =>
    aliases.length === 0 && meta.run !== rule.claimedRun && !stays.has(index);
  const deletedTargets = targets.filter(isFree);
  const keptRuns = new Set(
    targets.filter((target) => !deletedTargets.includes(target)).map(({ meta }) => meta.run),
  );
  const currentRun = indexes.find(({ index }) => index === rule.current)?.meta?.run;
  const deletedCompanions = ours.filter(
    (entry) =>
      entry.meta.role === 'dead_letters' &&
      isFree(entry) &&
      !keptRuns.has(entry.meta.run) &&
      entry.meta.run !== currentRun,
  );
  return {
    kept: targets.filter((target) => !deletedTargets.includes(target)).map(({ index }) => index),
    deleted: [...deletedTargets, ...deletedCompanions].map(({ index }) => index),
  };
}

/** Deletes what `planRetention` says; each is looked at once more before, for an alias may have come to it. May be repeated. */
export async function retainIndexes(
  cluster: SearchCalls,
  rule: RetentionRule,
  signal: AbortSignal,
): Promise<Retention> {
  const indexes = await listIndexes(cluster, rule.alias);
  const retention = planRetention(indexes, rule);
  for (const { index, meta } of indexes) {
    if (meta === null || !retention.deleted.includes(index)) continue;
    signal.throwIfAborted();
    await deleteOwnIndex(cluster, index, meta.run);
  }
  return retention;
}

/** What a run that began now would keep and delete once it had moved the alias away from where it is. */
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
