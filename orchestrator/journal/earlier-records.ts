import { z } from 'zod';
import type { Counts } from '../reconcile/counts.ts';
import type { RunTarget } from '../reconcile/identity.ts';
import { type Phase, type PhaseFinished, phaseFinishedSchema } from '../reconcile/phases.ts';
import { validatedSchema } from '../reconcile/phase-records.ts';
import { type RunResult, runResultSchema } from '../reconcile/run-result.ts';

/** Records and results of journals of schema 2 and 3, whose runs had one target. */

type LooseRecord = Readonly<Record<string, unknown>>;

const count = z.int().min(0);
export const flatCountsSchema = z.object({
  rowsRead: count,
  filtered: count,
  indexed: count,
  superseded: count,
  deadLetters: count,
  bytesSent: count,
  retries: count,
});

export function presentCounts(flat: z.infer<typeof flatCountsSchema>, index: string): Counts {
  const { rowsRead, bytesSent, retries, ...outcomes } = flat;
  return { rowsRead, bytesSent, retries, targets: [{ index, ...outcomes }] };
}

/**
 * The end of a phase, with its record in today's form. If the record lacks a part of today's form, the end does not
 * count: the phase has begun and must be done again.
 */
export function finishedPhase(
  { phase, at, record }: { readonly phase: Phase; readonly at: string; readonly record: LooseRecord },
  target: RunTarget,
): PhaseFinished[] {
  const candidate = { type: 'phase_finished', phase, at, record: presentRecord(phase, record, target) };
  const parsed = phaseFinishedSchema.safeParse(candidate);
  return parsed.success ? [parsed.data] : [];
}

function presentRecord(phase: Phase, record: LooseRecord, { index, deadLetterIndex }: RunTarget): unknown {
  switch (phase) {
    case 'plan':
      return { expected_bytes: null, bytes_per_row: null, ...record };
    case 'create-index':
      return { targets: [{ index, dead_letter_index: deadLetterIndex }] };
    case 'reindex': {
      const { documents_per_second, workers, boot_seconds = null } = record;
      const flat = flatCountsSchema.safeParse(record);
      const counts = flat.success ? presentCounts(flat.data, index) : null;
      return { counts, documents_per_second, workers, boot_seconds };
    }
    case 'finalize':
    case 'validate':
    case 'promote':
    case 'retain':
      return { targets: [{ ...record, index }] };
    case 'claim':
    case 'release':
      return record;
    default:
      return phase satisfies never;
  }
}

/**
 * Turns an earlier result into today's form.
 *
 * @throws Error when it lacks what a result has always had
 */
export function presentResult(
  result: LooseRecord,
  { fleet, target }: { readonly fleet: string; readonly target: RunTarget },
): RunResult {
  const { definition, alias, index } = target;
  const { status, run_key, run, rows, retries, bytes_sent, phase_seconds } = result;
  const { previous_indexes, indexed, superseded, filtered, dead_letters, rows_read_again } = result;
  const { documents_per_second = null, workers = null, boot_seconds = null } = result;
  const { instances = null, instance_seconds = null, cost = null } = result;
  const validated = validatedSchema.safeParse(result.validated);
  const parsed = runResultSchema.safeParse({
    status,
    run_key,
    run,
    fleet,
    rows,
    retries,
    bytes_sent,
    phase_seconds,
    documents_per_second,
    workers,
    boot_seconds,
    instances,
    instance_seconds,
    cost,
    targets: [
      {
        definition,
        alias,
        index,
        previous_indexes,
        indexed,
        superseded,
        filtered,
        dead_letters,
        rows_read_again,
        validated: validated.success ? validated.data : null,
      },
    ],
  });
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new Error(
    `its result has no ${first?.path.join('.')} that this version can read (${first?.message})`,
  );
}
