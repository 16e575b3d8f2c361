import { z } from 'zod';
import { requireDistinct } from '../reconcile/distinct.ts';

/** What a pass is for: `main` reads the whole table; `re-reading` reads again what did not validate. */
const passKindSchema = z.enum(['main', 're-reading']);

const passReadsSchema = z.discriminatedUnion('kind', [
  /** Every planned range. */
  z.strictObject({ kind: z.literal('planned') }),
  /** Some planned ranges, by their numbers. */
  z.strictObject({ kind: z.literal('ranges'), numbers: z.array(z.string()).readonly() }),
]);

/**
 * One reading of the table, or of a part of it, as the journal keeps it. Its number is never used twice in a run, nor are
 * the write aliases that are named by it.
 */
export const passSchema = z.strictObject({
  kind: passKindSchema,
  number: z.int().min(1),
  reads: passReadsSchema,
  /** Which of the run's targets it writes, by their indexes. */
  targets: z
    .array(z.string().min(1))
    .nonempty()
    .readonly()
    .superRefine((indexes, context) => requireDistinct(indexes, 'the index', context)),
  /** `fleet`: the run's fleet; `beside`: one process beside the orchestrator. */
  workers: z.enum(['fleet', 'beside']),
});

export type Pass = z.infer<typeof passSchema>;
export type PassKindName = Pass['kind'];
export type PassReads = Pass['reads'];
