import { type SearchCalls, segment } from './search-calls.ts';

/** What each index of ours says of itself in its mapping's `_meta.reindex_fleet`. */
export interface IndexMeta {
  readonly schema: 1;
  readonly fleet: string;
  readonly run: string;
  readonly run_key: string;
  readonly alias: string;
  readonly definition: string;
  readonly definition_digest: string;
  readonly role: 'target' | 'dead_letters';
  /** ISO 8601; nothing in the index was read before. */
  readonly created_at: string;
  /** ISO 8601: when the alias last came to this index; absent for one that it never came to. */
  readonly promoted_at?: string;
}

/** An alias on one index, as the cluster writes it. */
export interface AliasConfig {
  readonly filter?: Readonly<Record<string, unknown>>;
  readonly index_routing?: string;
  readonly search_routing?: string;
  readonly is_write_index?: boolean;
  readonly is_hidden?: boolean;
}

/** An index as the cluster describes it; settings by their full names. */
export interface IndexDescription {
  readonly aliases: Readonly<Record<string, AliasConfig>>;
  readonly mappings: {
    readonly dynamic?: string | boolean;
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  readonly settings: Readonly<Record<string, string | readonly string[]>>;
}

/** The index of exactly this name, or null; an alias of that name does not count. */
export async function describeIndex(cluster: SearchCalls, index: string): Promise<IndexDescription | null> {
  const path = `/${segment(index)}?flat_settings=true`;
  const found = (await cluster.callOrNull('GET', path)) as Record<string, IndexDescription> | null;
  return found?.[index] ?? null;
}

/** Our description of the index; null when it is not ours. */
export function metaOf(description: Pick<IndexDescription, 'mappings'>): IndexMeta | null {
  const meta = description.mappings._meta?.reindex_fleet as Partial<IndexMeta> | undefined;
  return meta?.schema === 1 && meta.fleet !== undefined && meta.run !== undefined
    ? (meta as IndexMeta)
    : null;
}

/** Notes when the alias came to the index. The rest of `_meta` stays, for the cluster replaces it as a whole. */
export async function notePromotion(cluster: SearchCalls, index: string, promotedAt: string): Promise<void> {
  const description = await describeIndex(cluster, index);
  const meta = description === null ? null : metaOf(description);
  if (description === null || meta === null || meta.promoted_at === promotedAt) return;
  const _meta = { ...description.mappings._meta, reindex_fleet: { ...meta, promoted_at: promotedAt } };
  await cluster.call('PUT', `/${segment(index)}/_mapping`, { _meta });
}
