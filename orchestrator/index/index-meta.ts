import { z } from 'zod';
import { type SearchCalls, segment } from './search-calls.ts';

const metaShape = {
  schema: z.literal(1),
  fleet: z.string(),
  run: z.string(),
  run_key: z.string(),
  alias: z.string(),
  definition: z.string(),
  definition_digest: z.string(),
  role: z.enum(['target', 'dead_letters', 'scratch']),
  /** When the index was created, in ISO 8601. No row in it was read before. */
  created_at: z.string(),
  /** When the alias last came to this index, in ISO 8601. Absent if it never did. */
  promoted_at: z.string().optional(),
};
/** Keeps what a later version may have added, because `notePromotion` writes the whole value again. */
const indexMetaSchema = z.looseObject(metaShape);

/** What each index of ours says about itself, in `_meta.reindex_fleet` of its mapping. */
export type IndexMeta = Readonly<z.infer<z.ZodObject<typeof metaShape>>>;

/** An alias on one index, as the cluster writes it. */
export interface AliasConfig {
  readonly filter?: Readonly<Record<string, unknown>>;
  readonly index_routing?: string;
  readonly search_routing?: string;
  readonly is_write_index?: boolean;
  readonly is_hidden?: boolean;
}

/** An index as the cluster describes it. Settings have their full names. */
export interface IndexDescription {
  readonly aliases: Readonly<Record<string, AliasConfig>>;
  readonly mappings: {
    readonly dynamic?: string | boolean;
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  readonly settings: Readonly<Record<string, string | readonly string[] | null>>;
}

/** The index of exactly this name. Null when there is none; an alias of that name does not count. */
export async function describeIndex(
  cluster: Pick<SearchCalls, 'callOrNull'>,
  index: string,
): Promise<IndexDescription | null> {
  const path = `/${segment(index)}?flat_settings=true`;
  const found = (await cluster.callOrNull('GET', path)) as Record<string, IndexDescription> | null;
  return found?.[index] ?? null;
}

/** Our description in the index. Null when the index is not ours. */
export function metaOf(description: Pick<IndexDescription, 'mappings'>): IndexMeta | null {
  const parsed = indexMetaSchema.safeParse(description.mappings._meta?.['reindex_fleet']);
  return parsed.success ? parsed.data : null;
}

/**
 * Notes when the alias came to the index. It writes the rest of `_meta` too, because the cluster replaces `_meta` as a
 * whole.
 */
export async function notePromotion(cluster: SearchCalls, index: string, promotedAt: string): Promise<void> {
  const description = await describeIndex(cluster, index);
  const meta = description === null ? null : metaOf(description);
  if (description === null || meta === null || meta.promoted_at === promotedAt) return;
  const _meta = { ...description.mappings._meta, reindex_fleet: { ...meta, promoted_at: promotedAt } };
  await cluster.call('PUT', `/${segment(index)}/_mapping`, { _meta });
}
