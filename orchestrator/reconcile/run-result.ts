import { z } from 'zod';
import { staleSchema, validatedSchema } from './phase-records.ts';
import { phaseSchema } from './phases.ts';

const count = z.int().min(0);

const costSchema = z.strictObject({
  amount: z.number(),
  currency: z.string(),
  /** False when it is the most that it can have been. */
  exact: z.boolean(),
});

/** What passes after the first reading read, because rows had changed or a range did not match. */
const readAgainSchema = z.strictObject({
  /** How many ranges were read again, in whole or in part. Null in results of earlier versions. */
  ranges: count.nullable(),
  rows: count,
  passes: count.nullable(),
});
export type ReadAgain = z.infer<typeof readAgainSchema>;

/** What became of one index of a finished run. */
const presentTargetSchema = z.strictObject({
  definition: z.string(),
  alias: z.string(),
  index: z.string(),
  /** What the alias served before. */
  previous_indexes: z.array(z.string()).readonly(),
  indexed: count,
  /** Writes of all passes that a newer version of their row had overtaken. Such a row is indexed. */
  superseded: count,
  filtered: count,
  dead_letters: count,
  read_again: readAgainSchema,
  /** Null without `changed_at`, and in results of earlier versions. */
  stale: staleSchema.nullable(),
  validated: validatedSchema.nullable(),
});

const earlierTargetSchema = presentTargetSchema
  .omit({ read_again: true, stale: true })
  .extend({ rows_read_again: count })
  .transform(({ rows_read_again: rows, ...rest }) => ({
    ...rest,
    read_again: { ranges: null, rows, passes: null },
    stale: null,
  }));

const targetResultSchema = z.union([presentTargetSchema, earlierTargetSchema]);

/** What a finished run did. Its journal keeps it, and it is the last line of its output. */
export const runResultSchema = z.strictObject({
  status: z.literal('done'),
  run_key: z.string(),
  run: z.string(),
  fleet: z.string(),
  /** The rows of the table, as they were proven. In each target they are indexed, filtered or dead letters. */
  rows: count,
  /** Of all passes, as are the bytes. */
  retries: count,
  bytes_sent: count,
  documents_per_second: z.number().nullable(),
  workers: count.nullable(),
  boot_seconds: z.number().nullable(),
  /** Null when nobody pays for the instances and no price is set. */
  instances: count.nullable(),
  /** The seconds of all instances together, as they are billed. */
  instance_seconds: z.number().nullable(),
  cost: costSchema.nullable(),
  /** The time that all processes of the run together worked on each phase. */
  phase_seconds: z.partialRecord(phaseSchema, z.number()),
  targets: z.array(targetResultSchema).nonempty().readonly(),
});

export type RunResult = z.infer<typeof runResultSchema>;
export type TargetResult = z.infer<typeof targetResultSchema>;
