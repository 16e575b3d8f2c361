import type { Clock } from '../clock.ts';
import type { AliasHolder } from '../reconcile/promotion.ts';
import { read } from './cluster-error.ts';
import { trialAliasOf } from './names.ts';
import { readAlias } from './promote.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import type { FoundDocuments } from './shrink.ts';
import { requireWhole } from './whole-answer.ts';

type AliasProperties = AliasHolder['config'];

/** A search may look at every document. */
const SEARCH_TIMEOUT_MS = 300_000;
/** The documents that are asked for by their ids. */
const MOST_IDS = 1_000;

/** What readers will find in a new index through its alias. */
export interface ReadersView extends FoundDocuments {
  /** The documents of the index that fit the alias's filter. Without a filter these are all. */
  readonly fitting: number;
  /** How many documents were asked for by their ids, and how many of them the alias gave. */
  readonly asked: number;
  readonly given: number;
}

/** Whether the alias hides documents that its filter does not leave out. */
export function hidesDocuments({ throughAlias, fitting, asked, given }: ReadersView): boolean {
  return throughAlias !== fitting || given !== asked;
}

/**
 * Tries the properties that an alias will have on a new index: filter, routing, and all others. It searches through a
 * trial alias that has them, and holds what it finds against the index itself. The trial alias is removed again. A
 * difference is looked at again some times, because copies of a shard may lag behind each other.
 */
export async function tryProperties(
  cluster: SearchCalls,
  index: string,
  properties: AliasProperties,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ReadersView> {
  const alias = trialAliasOf(index);
  // An earlier process may have left one, with the properties of then.
  await removeTrialAlias(cluster, index);
  await cluster.call('POST', '/_aliases', { actions: [{ add: { index, alias, ...properties } }] });
  try {
    for (let looks = 1; ; looks += 1) {
      signal.throwIfAborted();
      const view = await viewOf(cluster, { index, alias }, properties);
      if (!hidesDocuments(view) || looks === MOST_LOOKS) return view;
      await clock.sleep(LOOK_PAUSE_MS, signal);
    }
  } finally {
    await removeTrialAlias(cluster, index);
  }
}

const MOST_LOOKS = 3;
const LOOK_PAUSE_MS = 1_000;

async function viewOf(
  cluster: SearchCalls,
  { index, alias }: { readonly index: string; readonly alias: string },
  { filter, index_routing: routing }: AliasProperties,
): Promise<ReadersView> {
  const throughAlias = await countFound(cluster, alias);
  const direct = await countFound(cluster, index);
  const fitting = filter === undefined ? direct : await countFound(cluster, index, filter);
  // A search asks the shards of search_routing. A document that is asked for by its id is looked for by index_routing.
  const ids = routing === undefined ? [] : await someIds(cluster, index);
  const given = ids.length === 0 ? 0 : await countGiven(cluster, alias, ids);
  return { throughAlias, direct, fitting, asked: ids.length, given };
}

/** What readers find now through an alias, and in the indexes that it points to. */
export async function servedDocuments(
  cluster: SearchCalls,
  alias: string,
  holders: readonly AliasHolder[],
): Promise<FoundDocuments> {
  if (holders.length === 0) return { throughAlias: 0, direct: 0 };
  let direct = 0;
  for (const { index } of holders) direct += await countFound(cluster, index);
  return { throughAlias: await countFound(cluster, alias), direct };
}

/** Counts as a reader's search does: with what stands on the alias. */
export async function countFound(cluster: SearchCalls, name: string, query?: unknown): Promise<number> {
  const body = { size: 0, track_total_hits: true, ...(query === undefined ? {} : { query }) };
  const answer = await cluster.call('POST', `/${segment(name)}/_search`, body, {
    timeoutMs: SEARCH_TIMEOUT_MS,
  });
  requireWhole(answer, `searching ${name}`);
  return Number(read(read(read(answer, 'hits'), 'total'), 'value'));
}

async function someIds(cluster: SearchCalls, index: string): Promise<string[]> {
  const body = { size: MOST_IDS, _source: false };
  const hits = read(read(await cluster.call('POST', `/${segment(index)}/_search`, body), 'hits'), 'hits');
  return Array.isArray(hits) ? hits.map((hit) => String(read(hit, '_id'))) : [];
}

async function countGiven(cluster: SearchCalls, alias: string, ids: readonly string[]): Promise<number> {
  const answer = await cluster.call('POST', `/${segment(alias)}/_mget?_source=false`, { ids });
  const docs = read(answer, 'docs');
  return Array.isArray(docs) ? docs.filter((doc) => read(doc, 'found') === true).length : 0;
}

/** Removes the trial alias without asking for it to be there, and reads the result back. */
async function removeTrialAlias(cluster: SearchCalls, index: string): Promise<void> {
  const alias = trialAliasOf(index);
  const there = await readAlias(cluster, alias);
  if (there.length > 0) await cluster.callOrNull('DELETE', `/${segment(index)}/_alias/${segment(alias)}`);
}
