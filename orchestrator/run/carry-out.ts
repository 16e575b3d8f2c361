import { Interrupted, messageOf, RunFailed, Superseded } from '../errors.ts';
import { deleteTarget, targetState } from '../index/create.ts';
import { targetNames } from '../index/names.ts';
import type { RunContext } from './context.ts';
import { emptyWorkers } from './empty-workers.ts';
import { performPhase, WORK_PHASE_NAMES, type WorkPhase } from './phases.ts';

/** Does a command's part of a claimed run: one phase, or all that are left. */
export async function carryOut(run: RunContext, command: 'run' | 'claim' | WorkPhase): Promise<void> {
  try {
    await perform(run, command);
  } catch (error) {
    if (!(error instanceof Interrupted) && !(error instanceof Superseded) && !run.signal.aborted)
      await emptyAfterFailure(run);
    throw error;
  }
}

/**
 * Whatever failed, the fleet ends at zero: an earlier process of this run may have left instances that wait for it. What
 * cannot be ended now ends by its lease.
 */
async function emptyAfterFailure(run: RunContext): Promise<void> {
  try {
    await emptyWorkers({ ...run, openFleet: () => run.workers.openFleet(run.journal.state.pin) });
  } catch (error) {
    run.reporter.warning(messageOf(error));
  }
}

async function perform(run: RunContext, command: 'run' | 'claim' | WorkPhase): Promise<void> {
  if (command === 'claim') return;
  await noticeLostTarget(run);
  if (command !== 'run') {
    requireBefore(run, command);
    return performPhase(run, command);
  }
  for (const phase of WORK_PHASE_NAMES) await performPhase(run, phase);
}

/** A target that is gone or red before its promotion is made anew, and every range is read again. */
async function noticeLostTarget({ journal, connections, identity, reporter }: RunContext): Promise<void> {
  const created = journal.state.phases['create-index'];
  if (created === undefined || created.finishedAt === null || journal.state.promotion !== null) return;
  const names = targetNames(identity.alias, identity.run);
  const state = await targetState(connections.cluster, names);
  if (state === 'present') return;
  const reason = `the target index ${names.index} is ${state}`;
  reporter.warning(`${reason}: it is made anew and every range is read again`);
  // What is left of it is in the way; only what carries this run's mark is deleted.
  await deleteTarget(connections.cluster, names, identity.run);
  await journal.append([{ type: 'target_lost', reason }]);
}

function requireBefore({ journal }: RunContext, phase: WorkPhase): void {
  const missing = WORK_PHASE_NAMES.slice(0, WORK_PHASE_NAMES.indexOf(phase)).filter(
    (name) => (journal.state.phases[name]?.finishedAt ?? null) === null,
  );
  if (missing.length > 0)
    throw new RunFailed(`before ${phase} comes ${missing.join(', then ')}: \`reindex-fleet ${missing[0]}\``);
}
