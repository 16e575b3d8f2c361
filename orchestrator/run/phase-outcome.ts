import type { Phase, PhaseRecord } from '../reconcile/phases.ts';

/** What came of a phase: plain JSON for the journal, a few words for a person. */
export interface PhaseOutcome<P extends Phase> {
  readonly record: PhaseRecord<P>;
  readonly note: string;
}
