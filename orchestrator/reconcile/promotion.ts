import { z } from 'zod';
import { instant } from './instant.ts';

/** One index that an alias points to, with the alias's settings there: filter, routing, write index. */
export const aliasHolderSchema = z.strictObject({
  index: z.string(),
  config: z.record(z.string(), z.json()),
});

/** A move of an alias, with everything that is needed to reverse it. */
export const promotionSchema = z.strictObject({
  alias: z.string(),
  at: instant,
  removed: z.array(aliasHolderSchema).readonly(),
  added: aliasHolderSchema,
});

/** What the reversal of a recorded move did. */
export const reversalSchema = z.strictObject({
  alias: z.string(),
  left: z.string(),
  restored: z.array(z.string()).readonly(),
  /** Since when each restored index may lag behind the table. Null for an index that is not ours. */
  staleness: z.array(z.strictObject({ index: z.string(), read_from: z.string().nullable() })).readonly(),
});

/** The reversal of all recorded moves of a run. */
export const rollbackSchema = z.strictObject({ at: instant, targets: z.array(reversalSchema).readonly() });

export type AliasHolder = z.infer<typeof aliasHolderSchema>;
export type Promotion = z.infer<typeof promotionSchema>;
export type Reversal = z.infer<typeof reversalSchema>;
export type Rollback = z.infer<typeof rollbackSchema>;
