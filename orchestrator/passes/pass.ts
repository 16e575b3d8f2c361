import { z } from 'zod';
import { requireDistinct } from '../reconcile/distinct.ts';
import { instant } from '../reconcile/instant.ts';
import { cutoffSchema } from '../reconcile/cutoff.ts';

/**
 * What a pass is for. `main` reads the whole table. `re-reading` reads again what did not validate, or what has changed
 * since it was read.
 */
const passKindSchema = z.enum(['main', 're-reading']);

const passReadsSchema = z.discriminatedUnion('kind', [
  /** Every planned range. */
  z.strictObject({ kind: z.literal('planned') }),
  /** Some planned ranges, by their numbers. */
  z.strictObject({ kind: z.literal('ranges'), numbers: z.array(z.string()).readonly() }),
  /** The rows of some planned ranges that have changed since then. `rows` is about how many. */
  z.strictObject({
    kind: z.literal('changed-since'),
    since: instant,
    numbers: z.array(z.string()).readonly(),
    rows: z.int().min(0),
  }),
]);

/**
 * One reading of the table, or of a part of it, in the journal. A run never uses its number twice, nor the write
 * aliases that carry this number.
 */
export const passSchema = z.strictObject({
  kind: passKindSchema,
  number: z.int().min(1),
  reads: passReadsSchema,
  /** The targets that it writes, by their indexes. */
  targets: z
    .array(z.string().min(1))
    .nonempty()
    .readonly()
    .superRefine((indexes, context) => requireDistinct(indexes, 'the index', context)),
  /** `fleet` means the run's fleet. `beside` means one process beside the orchestrator. */
  workers: z.enum(['fleet', 'beside']),
  /** From when on changes may be missing in what it read. Absent where nobody can say which rows changed. */
  cutoff: cutoffSchema.optional(),
});

export type Pass = z.infer<typeof passSchema>;
export type PassKindName = Pass['kind'];
export type PassReads = Pass['reads'];
