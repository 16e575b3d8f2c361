import { Interrupted, messageOf, RunFailed, Superseded } from '../errors.ts';
import { deleteTarget, targetState } from '../index/create.ts';
import { isPassing } from '../index/patience.ts';
import { isPhaseDone, phasesBefore, WORK_PHASES, type WorkPhase } from '../reconcile/phases.ts';
import { holdAliases, releaseAliases } from './alias-claim.ts';
import type { RunContext } from './context.ts';
import { emptyWorkers } from './empty-workers.ts';
import { performPhase } from './phases.ts';
import { standingWords } from './standing-words.ts';

/** Does the part of a claimed run that a command stands for: one phase, or all that are left. */
export async function carryOut(run: RunContext, command: 'run' | 'claim' | WorkPhase): Promise<void> {
  try {
    await perform(run, command);
  } catch (error) {
    if (!(error instanceof Interrupted) && !(error instanceof Superseded) && !run.signal.aborted)
      await emptyAfterFailure(run);
    if (!isPassing(error)) throw error;
    // The cluster's trouble passes, and then the same command goes on.
    throw error.withMessage(`${error.message}\n${standingWords(run.journal.state)}`);
  }
}

/**
 * Brings the fleet to zero after any failure. An earlier process of this run may have left instances that wait for it.
 * An instance that cannot be ended now ends when its lease runs out.
 */
async function emptyAfterFailure(run: RunContext): Promise<void> {
  try {
    await emptyWorkers({ ...run, openFleet: () => run.workers.openFleet(run.journal.state.pin) });
  } catch (error) {
    run.reporter.warning(messageOf(error));
  }
}

async function perform(run: RunContext, command: 'run' | 'claim' | WorkPhase): Promise<void> {
  const isOver = run.journal.state.result !== null;
  await holdAliases(run);
  try {
    await performHolding(run, command);
  } finally {
    // A run that is over has no release before it. It holds its aliases only for as long as they move once more.
    if (isOver) await releaseAliases(run);
  }
}

/** Does the same while the run holds its aliases. */
async function performHolding(run: RunContext, command: 'run' | 'claim' | WorkPhase): Promise<void> {
  if (command === 'claim') return;
  await noticeLostTarget(run);
  if (command !== 'run') {
    requireBefore(run, command);
    return performPhase(run, command);
  }
  for (const phase of WORK_PHASES) await performPhase(run, phase);
}

/**
 * Begins anew when a target is gone or red before its promotion. It deletes all targets, and every range is read again,
 * because one reading feeds them all.
 */
async function noticeLostTarget({ journal, connections, identity, reporter }: RunContext): Promise<void> {
  const { phases, promotions } = journal.state;
  if (!isPhaseDone(phases, 'create-index') || promotions.size > 0) return;
  const { cluster } = connections;
  const { targets, run } = identity;
  const lost: string[] = [];
  for (const target of targets) {
    const state = await targetState(cluster, target);
    if (state !== 'present') lost.push(`the target index ${target.index} is ${state}`);
  }
  if (lost.length === 0) return;
  const reason = lost.join('; ');
  reporter.warning(`${reason}: the run makes it anew and reads every range again`);
  // What is left of it is in the way. Only indexes that carry this run's mark are deleted.
  for (const target of targets) await deleteTarget(cluster, target, run);
  await journal.append([{ type: 'target_lost', reason }]);
}

function requireBefore({ journal }: RunContext, phase: WorkPhase): void {
  const missing = phasesBefore(phase).filter((name) => !isPhaseDone(journal.state.phases, name));
  if (missing.length > 0)
    throw new RunFailed(
      `${phase} needs ${missing.join(' and ')} first: give \`reindex-fleet ${missing[0]}\``,
    );
}
