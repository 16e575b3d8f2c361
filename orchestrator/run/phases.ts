import { isPhaseDone, phaseFinished, type WorkPhase } from '../reconcile/phases.ts';
import type { RunState } from '../reconcile/state.ts';
import type { RunContext } from './context.ts';
import { createIndexPhase, finalizePhase, retainPhase } from './index-phases.ts';
import type { PhaseOutcome } from './phase-outcome.ts';
import { faultOfProof } from './proof-state.ts';
import { promotePhase } from './promote-phase.ts';
import { reindexPhase } from './reindex-phase.ts';
import { releasePhase } from './release-phase.ts';
import { validatePhase } from './validate-phase.ts';

/** The function that performs each phase. Each is idempotent, because the last try may have been cut off anywhere. */
const PERFORM: { readonly [P in WorkPhase]: (context: RunContext) => Promise<PhaseOutcome<P>> } = {
  'create-index': createIndexPhase,
  reindex: reindexPhase,
  finalize: finalizePhase,
  validate: validatePhase,
  promote: promotePhase,
  retain: retainPhase,
  release: releasePhase,
};

/**
 * Performs one phase unless the journal says that it is done. It records the intent, does the work, then records the
 * result.
 */
export async function performPhase(context: RunContext, phase: WorkPhase): Promise<void> {
  const { journal, reporter } = context;
  if (isDone(journal.state, phase))
    return reporter.note(`${phase} was done at ${journal.state.phases[phase]?.finishedAt}`);
  if (phase === 'promote') await renewProof(context);
  await workPhase(context, phase);
}

/** Proves again what an earlier proof no longer proves. If that fails, the alias stays where it is. */
async function renewProof(context: RunContext): Promise<void> {
  const fault = await faultOfProof(context);
  if (fault === null) return;
  context.reporter.warning(`the index is proven again before the alias moves: ${fault}`);
  await workPhase(context, 'validate');
}

async function workPhase(context: RunContext, phase: WorkPhase): Promise<void> {
  const { journal, reporter, clock, signal } = context;
  signal.throwIfAborted();
  const brokenOffAt = journal.state.phases[phase]?.finishedAt === null ? journal.writtenAt : null;
  await journal.append([
    {
      type: 'phase_started',
      phase,
      at: clock.now().toISOString(),
      ...(brokenOffAt === null ? {} : { broken_off_at: brokenOffAt.toISOString() }),
    },
  ]);
  const startMs = clock.monotonicMs();
  reporter.phaseStarted(phase);
  const { record, note } = await PERFORM[phase](context);
  await journal.append([phaseFinished(phase, clock.now().toISOString(), record)]);
  reporter.phaseFinished(phase, (clock.monotonicMs() - startMs) / 1000, note);
}

/**
 * Whether a phase is done. A run that was rolled back is promoted again. A run whose proof lacks a part is proven
 * again.
 */
function isDone({ phases, rolledBack, identity }: RunState, phase: WorkPhase): boolean {
  if (phase === 'promote' && rolledBack !== null) return false;
  if (phase === 'validate') {
    const proven = phases.validate?.record?.targets.map(({ index }) => index) ?? [];
    return identity?.targets.every(({ index }) => proven.includes(index)) ?? false;
  }
  return isPhaseDone(phases, phase);
}
