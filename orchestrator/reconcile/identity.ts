import { z } from 'zod';
import { requireDistinct } from './distinct.ts';
import { instant } from './instant.ts';

/** One index that a run builds, with the alias that comes to serve it. */
const runTargetSchema = z.strictObject({
  /** The name of its index definition. */
  definition: z.string().min(1),
  /** Digest of the definition and of its columns' types, joined by a dot. */
  definitionDigest: z.string().min(1),
  alias: z.string().min(1),
  index: z.string().min(1),
  /** The companion for dead letters. */
  deadLetterIndex: z.string().min(1),
});

/** A run has at least one target; none shares an index or an alias with another. */
const runTargetsSchema = z
  .tuple([runTargetSchema], runTargetSchema)
  .readonly()
  .superRefine((targets, context) => {
    const indexes = targets.flatMap(({ index, deadLetterIndex }) => [index, deadLetterIndex]);
    const aliases = targets.map(({ alias }) => alias);
    requireDistinct(indexes, 'the index', context);
    requireDistinct(aliases, 'the alias', context);
  });

/** What a run is, fixed when it begins. */
export const runIdentitySchema = z.strictObject({
  run: z.string().min(1),
  runKey: z.string().min(1),
  fleet: z.string().min(1),
  build: z.string().min(1),
  /** Which table of which database is read, beyond their names. */
  source: z.string(),
  startedAt: instant,
  /** Rows that the plan expects, and whether they were counted. */
  rows: z.number().min(0),
  rowsExact: z.boolean(),
  targets: runTargetsSchema,
});

export type RunTarget = z.infer<typeof runTargetSchema>;
export type RunIdentity = z.infer<typeof runIdentitySchema>;
