import type { Phase, PhaseRecord } from '../reconcile/phases.ts';

/** The result of a phase: plain JSON for the journal, and a few words for a person. */
export interface PhaseOutcome<P extends Phase> {
  readonly record: PhaseRecord<P>;
  readonly note: string;
}
