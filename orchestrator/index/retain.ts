import type { Clock } from '../clock.ts';
import { messageOf, Superseded } from '../errors.ts';
import { ClusterError } from './cluster-error.ts';
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

/** An index that should go and could not be deleted. */
export interface LeftIndex {
  readonly index: string;
  readonly reason: string;
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

export interface RetentionWaiting {
  /** How long a refused deletion is tried again, counted from the first refusal. */
  readonly waitingTimeoutMs: number;
  /** Called once, with what is waited for. */
  readonly onWait?: (words: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The pause before the first repeat. It doubles for each further one, up to the longest. */
const LEAST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Deletes what `planRetention` says. It looks at each index once more before, because an alias may have come to it. It
 * may be repeated. The last index that had documents stays while the one in its place is empty, or has lost more of
 * them than `shrinkLimit` per cent.
 *
 * The alias has moved already, so nothing that a cluster refuses here fails a run: a snapshot under way, a rule of the
 * cluster, an index that somebody else holds. It is tried again for some time, then it is left. The next run deletes it.
 */
export async function retainIndexes(
  cluster: SearchCalls,
  rule: Omit<RetentionRule, 'needed'> & { readonly shrinkLimit: number },
  waiting: RetentionWaiting,
): Promise<Retention & { readonly left: readonly LeftIndex[] }> {
  const { waitingTimeoutMs, onWait, clock, signal } = waiting;
  const deleted = new Set<string>();
  let firstRefusalMs: number | null = null;
  for (let pauseMs = LEAST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const indexes = await listIndexes(cluster, rule.alias);
    const needed = await lastWithDocuments(cluster, indexes, rule);
    const plan = planRetention(indexes, { ...rule, needed });
    const refused: Refused[] = [];
    for (const { index, meta } of indexes) {
      if (meta === null || !plan.deleted.includes(index)) continue;
      signal.throwIfAborted();
      const refusal = await tryToDelete(cluster, index, meta.run, signal);
      if (refusal === null) deleted.add(index);
      else refused.push(refusal);
    }
    firstRefusalMs ??= clock.monotonicMs();
    const isOver = clock.monotonicMs() + pauseMs > firstRefusalMs + waitingTimeoutMs;
    if (isOver || !refused.some(({ passes }) => passes))
      return {
        kept: plan.kept,
        deleted: [...deleted],
        left: refused.map(({ index, reason }) => ({ index, reason })),
      };
    if (pauseMs === LEAST_PAUSE_MS)
      onWait?.(
        `waiting for ${refused.map(({ index }) => index).join(', ')} to be deleted, for up to ${Math.round(waitingTimeoutMs / 1000)} s: ${refused[0]?.reason}`,
      );
    await clock.sleep(pauseMs, signal);
  }
}

interface Refused extends LeftIndex {
  /** Whether another try may help. */
  readonly passes: boolean;
}

/** Deletes an index. Says why it could not. Null when it is gone. */
async function tryToDelete(
  cluster: SearchCalls,
  index: string,
  run: string,
  signal: AbortSignal,
): Promise<Refused | null> {
  try {
    await deleteOwnIndex(cluster, index, run, { signal, waitingTimeoutMs: 0 });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Superseded) throw error;
    // A permission that is missing does not come within minutes. Other refusals may pass.
    const passes = error instanceof ClusterError && error.type !== 'security_exception';
    return { index, reason: messageOf(error), passes };
  }
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
