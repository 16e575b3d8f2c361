import { z } from 'zod';
import { validatedSchema } from './phase-records.ts';
import { phaseSchema } from './phases.ts';

const count = z.int().min(0);

const costSchema = z.strictObject({
  amount: z.number(),
  currency: z.string(),
  /** False when it is the most that it can have been. */
  exact: z.boolean(),
});

/** What became of one index of a finished run. */
const targetResultSchema = z.strictObject({
  definition: z.string(),
  alias: z.string(),
  index: z.string(),
  /** What the alias served before. */
  previous_indexes: z.array(z.string()).readonly(),
  indexed: count,
  superseded: count,
  filtered: count,
  dead_letters: count,
  /** The rows that were read again because a range did not match. */
  rows_read_again: count,
  validated: validatedSchema.nullable(),
});

/** What a finished run did. Its journal keeps it, and it is the last line of its output. */
export const runResultSchema = z.strictObject({
  status: z.literal('done'),
  run_key: z.string(),
  run: z.string(),
  fleet: z.string(),
  /** The rows of the main pass. */
  rows: count,
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
  phase_seconds: z.partialRecord(phaseSchema, z.number()),
  targets: z.array(targetResultSchema).nonempty().readonly(),
});

export type RunResult = z.infer<typeof runResultSchema>;
export type TargetResult = z.infer<typeof targetResultSchema>;
