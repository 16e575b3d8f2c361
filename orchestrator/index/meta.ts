import { z } from 'zod';

/** What every index of ours says of itself, under `_meta.reindex_fleet` of its mapping. */
export const metaSchema = z.object({
  schema: z.literal(1),
  fleet: z.string(),
  run: z.string(),
  run_key: z.string(),
  alias: z.string(),
  definition: z.string(),
  definition_digest: z.string(),
  role: z.enum(['target', 'dead_letters']),
  created_at: z.string(),
  /** When the alias moved here; absent until then. */
  promoted_at: z.string().optional(),
});
export type IndexMeta = z.infer<typeof metaSchema>;

/** Our `_meta` in an index's mapping; null: the index is not ours. */
export function metaOf(mappings: unknown): IndexMeta | null {
  const meta = z.object({ _meta: z.object({ reindex_fleet: metaSchema }) }).safeParse(mappings);
  return meta.success ? meta.data._meta.reindex_fleet : null;
}
