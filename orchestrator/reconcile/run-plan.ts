import { z } from 'zod';

const key = z.string();

const plannedRangeSchema = z.strictObject({
  /** `0007`: the same in every pass. */
  number: z.string(),
  start: key.nullable(),
  end: key.nullable(),
  /** Expected rows and their bytes in the table. */
  rows: z.number(),
  bytes: z.number(),
});

/** What is read, in key order: every key that there can be lies in exactly one range. */
export const runPlanSchema = z.strictObject({
  /** Name of the kind of its keys, see `KeyKind`. */
  keyKind: z.string().min(1),
  ranges: z.array(plannedRangeSchema).readonly(),
  /** Least and greatest key of the table when the run was planned; null: it was empty. */
  bounds: z.strictObject({ min: key, max: key }).nullable(),
});

export type PlannedRange = z.infer<typeof plannedRangeSchema>;
export type RunPlan = z.infer<typeof runPlanSchema>;
