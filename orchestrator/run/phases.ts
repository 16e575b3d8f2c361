import type { PhaseRecord, Phase } from '../reconcile/events.ts';
import type { RunContext } from './context.ts';
import { createIndexPhase, finalizePhase, retainPhase } from './index-phases.ts';
import { promotePhase } from './promote-phase.ts';
import { reindexPhase } from './reindex-phase.ts';
import { releasePhase } from './release-phase.ts';
import { validatePhase } from './validate-phase.ts';

/** A phase that works on the claimed run; `plan` and `claim` stand before it (`begin-run.ts`). */
export type WorkPhase = Exclude<Phase, 'plan' | 'claim'>;

/** What came of a phase: plain JSON for the journal, a few words for a person. */
export interface PhaseOutcome {
  readonly record: PhaseRecord;
  readonly note: string;
}

/** In the order of a run. Each is idempotent: it may have been cut off anywhere the last time. */
const WORK_PHASES: Readonly<Record<WorkPhase, (context: RunContext) => Promise<PhaseOutcome>>> = {
  'create-index': createIndexPhase,
  reindex: reindexPhase,
  finalize: finalizePhase,
  validate: validatePhase,
  promote: promotePhase,
  retain: retainPhase,
  release: releasePhase,
};
export const WORK_PHASE_NAMES = Object.keys(WORK_PHASES) as WorkPhase[];

/** Does one phase unless the journal says that it is done: intent, work, then what came of it. */
export async function performPhase(context: RunContext, phase: WorkPhase): Promise<void> {
  const { journal, reporter, clock, signal } = context;
  const doneAt = journal.state.phases[phase]?.finishedAt ?? null;
  const undone = phase === 'promote' && journal.state.rolledBack !== null;
  if (doneAt !== null && !undone) return reporter.note(`${phase} was done at ${doneAt}`);
  signal.throwIfAborted();
  await journal.append([{ type: 'phase_started', phase, at: clock.now().toISOString() }]);
  const startMs = clock.monotonicMs();
  reporter.phaseStarted(phase);
  const { record, note } = await WORK_PHASES[phase](context);
  await journal.append([{ type: 'phase_finished', phase, at: clock.now().toISOString(), record }]);
  reporter.phaseFinished(phase, (clock.monotonicMs() - startMs) / 1000, note);
}
