import { z } from 'zod';
import { keyKindNamed } from '../../definition/key/kinds.ts';
import { keyText } from './key-text.ts';

const plannedRangeSchema = z.strictObject({
  /** For example `0007`. It is the same in every pass. */
  number: z.string(),
  start: keyText.nullable(),
  end: keyText.nullable(),
  /** The expected rows, and their bytes in the table. */
  rows: z.number(),
  bytes: z.number(),
});

/** What is read, in key order. Every possible key lies in exactly one range. */
export const runPlanSchema = z.strictObject({
  /** Name of the kind of its keys, see `KeyKind`. */
  keyKind: z.string().refine((name) => keyKindNamed(name) !== null, {
    error: ({ input }) => `this version does not know keys of the kind ${String(input)}`,
  }),
  ranges: z.array(plannedRangeSchema).readonly(),
  /** Least and greatest key of the table when the run was planned; null: it was empty. */
  bounds: z.strictObject({ min: keyText, max: keyText }).nullable(),
});

export type PlannedRange = z.infer<typeof plannedRangeSchema>;
export type RunPlan = z.infer<typeof runPlanSchema>;
