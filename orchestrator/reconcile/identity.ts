import { z } from 'zod';
import { requireDistinct } from './distinct.ts';
import { instant } from './instant.ts';

/** One index that a run builds, with the alias that will serve it. */
const runTargetSchema = z.strictObject({
  /** The name of its index definition. */
  definition: z.string().min(1),
  /** The digest of the definition and of its columns' types, joined by a dot. */
  definitionDigest: z.string().min(1),
  alias: z.string().min(1),
  index: z.string().min(1),
  /** The companion for dead letters. */
  deadLetterIndex: z.string().min(1),
});

/** The targets of a run, at least one. No two share an index or an alias. */
const runTargetsSchema = z
  .tuple([runTargetSchema], runTargetSchema)
  .readonly()
  .superRefine((targets, context) => {
    const indexes = targets.flatMap(({ index, deadLetterIndex }) => [index, deadLetterIndex]);
    const aliases = targets.map(({ alias }) => alias);
    requireDistinct(indexes, 'the index', context);
    requireDistinct(aliases, 'the alias', context);
  });

/** What a run is. It is fixed when the run begins. */
export const runIdentitySchema = z.strictObject({
  run: z.string().min(1),
  runKey: z.string().min(1),
  fleet: z.string().min(1),
  build: z.string().min(1),
  /** Identifies the table and the database beyond their names. */
  source: z.string(),
  startedAt: instant,
  /** The rows that the plan expects, and whether they were counted. */
  rows: z.number().min(0),
  rowsExact: z.boolean(),
  targets: runTargetsSchema,
});

export type RunTarget = z.infer<typeof runTargetSchema>;
export type RunIdentity = z.infer<typeof runIdentitySchema>;
