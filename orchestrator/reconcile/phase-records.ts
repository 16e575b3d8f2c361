import { z } from 'zod';
import { countsSchema } from './counts.ts';
import { instant } from './instant.ts';

/** What phases leave in the journal. A phase that works on each target says what it did for each. */

const count = z.int().min(0);

function perTarget<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject({
    targets: z.array(z.strictObject({ index: z.string(), ...shape })).readonly(),
  });
}

export const planRecordSchema = z.strictObject({
  ranges: count,
  /** Null when no row could be measured. */
  expected_bytes: z.number().nullable(),
  bytes_per_row: z.number().nullable(),
});

export const createIndexRecordSchema = perTarget({ dead_letter_index: z.string() });

export const reindexRecordSchema = z.strictObject({
  counts: countsSchema,
  documents_per_second: z.number(),
  workers: count,
  /** Null when no worker was ever ready under the process that ended the phase. */
  boot_seconds: z.number().nullable(),
});

export const finalizeRecordSchema = perTarget({
  health: z.enum(['yellow', 'green']),
  /** How long each step took, in milliseconds. */
  steps: z.record(z.string(), z.number()),
});

const validatedShape = {
  rows: count,
  filtered: count,
  documents: count,
  dead_letters: count,
  ranges: count,
  ranges_by_keys: count,
  samples_compared: count,
  rows_read_from: instant,
  /** When the comparison began. Absent in what earlier versions recorded. */
  proven_at: instant.optional(),
  /** What a person must know if the table goes on changing. */
  remark: z.string().optional(),
};
export const validatedSchema = z.strictObject(validatedShape);

/** What a proof was true of, as far as it is cheap to look at again. */
const proofBasisSchema = z.strictObject({
  /** When the proof began. */
  at: instant,
  /** The epoch of the process that made it. */
  epoch: count,
  table: z.strictObject({
    rows: count.nullable(),
    writes: z.number().nullable(),
    files: z.string().nullable(),
  }),
});
export type ProofBasis = z.infer<typeof proofBasisSchema>;

/** A record without `proof` is of an earlier version. */
export const validateRecordSchema = perTarget({ ...validatedShape, proof: proofBasisSchema.optional() });

/** What the promoted index does not have of the table. */
export const staleSchema = z.strictObject({
  /** The rows that changed after they were read. Null when nobody can say. */
  rows: count.nullable(),
  /** Every row was read at this time or later. Null when nobody can say. */
  since: instant.nullable(),
  /** What the count does not cover. */
  remark: z.string().optional(),
});
export type Stale = z.infer<typeof staleSchema>;

export const promoteRecordSchema = perTarget({
  previous_indexes: z.array(z.string()).readonly(),
  /** Null without `changed_at`. Absent in what earlier versions recorded. */
  stale: staleSchema.nullable().optional(),
});

export const retainRecordSchema = perTarget({
  kept: z.array(z.string()).readonly(),
  deleted: z.array(z.string()).readonly(),
  /** What should have gone and could not be deleted. Absent in what earlier versions wrote. */
  left: z
    .array(z.strictObject({ index: z.string(), reason: z.string() }))
    .readonly()
    .optional(),
});

/** The record of a phase that leaves nothing but its end. */
export const nothingMoreSchema = z.strictObject({});
