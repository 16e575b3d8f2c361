import { z } from 'zod';
import { instant } from './instant.ts';
import {
  createIndexRecordSchema,
  finalizeRecordSchema,
  nothingMoreSchema,
  planRecordSchema,
  promoteRecordSchema,
  reindexRecordSchema,
  retainRecordSchema,
  validateRecordSchema,
} from './phase-records.ts';

/**
 * The phases of a run, in their order. Each names the phase that it needs before it, what it does in a person's words,
 * and the record that it leaves in the journal. `run/phases.ts` has the code that performs them.
 */
export const PHASES = {
  plan: { needs: null, words: 'plan the run', record: planRecordSchema },
  claim: {
    needs: 'plan',
    words: 'plan the run, and claim the fleet and the alias for it',
    record: nothingMoreSchema,
  },
  'create-index': {
    needs: 'claim',
    words: 'create the target index and its companion for dead letters',
    record: createIndexRecordSchema,
  },
  reindex: {
    needs: 'create-index',
    words: 'start the workers, read every range, end with no worker left',
    record: reindexRecordSchema,
  },
  finalize: {
    needs: 'reindex',
    words: 'block writes, refresh, restore replicas and refresh interval, wait for health',
    record: finalizeRecordSchema,
  },
  validate: {
    needs: 'finalize',
    words: 'count every range in the table and in the index, compare samples field by field',
    record: validateRecordSchema,
  },
  promote: {
    needs: 'validate',
    words: 'move the alias to the new index in one step',
    record: promoteRecordSchema,
  },
  retain: {
    needs: 'promote',
    words: 'delete indexes of earlier runs that are no longer kept',
    record: retainRecordSchema,
  },
  release: { needs: 'retain', words: 'end the claim', record: nothingMoreSchema },
} as const satisfies Readonly<Record<string, PhaseEntry>>;

interface PhaseEntry {
  /** The phase right before it. Null for the first. */
  readonly needs: string | null;
  readonly words: string;
  readonly record: z.ZodType;
}

export type Phase = keyof typeof PHASES;
/** A phase's record: plain JSON. */
export type PhaseRecord<P extends Phase = Phase> = {
  readonly [K in P]: z.infer<(typeof PHASES)[K]['record']>;
}[P];

export const PHASE_NAMES = Object.keys(PHASES) as Phase[];

/** The phases that must be done before, in their order. */
export function phasesBefore(phase: Phase): Phase[] {
  const { needs } = PHASES[phase];
  return needs === null ? [] : [...phasesBefore(needs), needs];
}

/** A phase that works on a claimed run. `plan` and `claim` come before it (`run/begin-run.ts`). */
export type WorkPhase = Exclude<Phase, 'plan' | 'claim'>;

/** The phases that need the claim. */
export const WORK_PHASES = PHASE_NAMES.filter((phase) =>
  phasesBefore(phase).includes('claim'),
) as WorkPhase[];

export const phaseSchema = z.enum(PHASE_NAMES);

type FinishedSchema<P extends Phase> = {
  readonly [K in P]: z.ZodObject<
    {
      type: z.ZodLiteral<'phase_finished'>;
      phase: z.ZodLiteral<K>;
      at: typeof instant;
      record: (typeof PHASES)[K]['record'];
    },
    z.core.$strict
  >;
}[P];

const finishedSchemas = PHASE_NAMES.map((phase) =>
  z.strictObject({
    type: z.literal('phase_finished'),
    phase: z.literal(phase),
    at: instant,
    record: PHASES[phase].record,
  }),
) as unknown as [FinishedSchema<Phase>, ...FinishedSchema<Phase>[]];

export const phaseFinishedSchema = z.discriminatedUnion('phase', finishedSchemas);

export type PhaseFinished<P extends Phase = Phase> = {
  readonly [K in P]: {
    readonly type: 'phase_finished';
    readonly phase: K;
    readonly at: string;
    readonly record: PhaseRecord<K>;
  };
}[P];

export function phaseFinished<P extends Phase>(
  phase: P,
  at: string,
  record: PhaseRecord<P>,
): PhaseFinished<P> {
  return { type: 'phase_finished', phase, at, record };
}

/** A phase that has begun. It is under way, or has ended with its record. */
export type PhaseState<P extends Phase = Phase> =
  | { readonly startedAt: string; readonly finishedAt: null; readonly record: null }
  | { readonly startedAt: string; readonly finishedAt: string; readonly record: PhaseRecord<P> };
export type Phases = { readonly [P in Phase]?: PhaseState<P> };

/** The phases in a snapshot, each with a record of its own form. */
export const phasesSchema = z.strictObject(
  Object.fromEntries(PHASE_NAMES.map((phase) => [phase, phaseStateSchema(phase).optional()])),
) as unknown as z.ZodType<Phases>;

function phaseStateSchema(phase: Phase) {
  return z.union([
    z.strictObject({ startedAt: instant, finishedAt: z.null(), record: z.null() }),
    z.strictObject({ startedAt: instant, finishedAt: instant, record: PHASES[phase].record }),
  ]);
}

export function isPhaseDone(phases: Phases, phase: Phase): boolean {
  return (phases[phase]?.finishedAt ?? null) !== null;
}
