import { RunFailed, UsageFault } from '../errors.ts';
import { deleteTarget, targetState } from '../index/create.ts';
import { targetNames } from '../index/names.ts';
import { begunResult, showSummary } from '../report/summary.ts';
import { claimRun, prepareRun } from '../run/begin-run.ts';
import { type ChosenRun, chooseRun, requireFree } from '../run/choose-run.ts';
import type { RunContext } from '../run/context.ts';
import { performPhase, WORK_PHASE_NAMES, type WorkPhase } from '../run/phases.ts';
import { connectBoth, type SourceConnections } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandContext, type CommandResult, runKeyOf } from './command.ts';
import type { PhaseCommand } from './command-line.ts';

/**
 * `run`, or one phase of a run by name. Who holds the fleet is looked at before anything is started; the choice is
 * made again under the lock, for it may have changed in between.
 */
export async function runCommandOrPhase(
  context: CommandContext,
  command: 'run' | PhaseCommand,
): Promise<CommandResult> {
  const promoteLimit = promoteLimitOf(context);
  const before = resultBefore(await choose(context, command), command);
  if (before !== null) return before;
  const connections = await connectBoth(context.offline, context.reporter);
  try {
    return await withLock(
      context.offline,
      `reindex-fleet ${command}`,
      context.reporter,
      context.signal,
      async (lock, signal) => {
        const chosen = await choose(context, command);
        const meanwhile = resultBefore(chosen, command);
        if (meanwhile !== null) return meanwhile;
        const begun = await prepareRun(context.offline, connections, chosen, context.reporter);
        signal.throwIfAborted();
        const journal = await claimRun(context.offline, begun, chosen, lock);
        const run: RunContext = {
          ...begun,
          offline: context.offline,
          connections,
          journal,
          lock,
          reporter: context.reporter,
          signal,
          promoteLimit,
        };
        context.reporter.note(
          `run ${run.identity.run}, key ${run.identity.runKey}${chosen.kind === 'new' ? '' : ', carried on'}`,
        );
        await carryOut(run, command);
        return await finish(context, run, connections);
      },
    );
  } finally {
    await connections.close();
  }
}

async function choose(context: CommandContext, command: 'run' | PhaseCommand): Promise<ChosenRun> {
  const { store, definitionDigest, settings } = context.offline;
  const chosen = await chooseRun(store, { runKey: runKeyOf(context), definitionDigest, now: new Date() });
  if (chosen.kind === 'new' && command !== 'run' && command !== 'claim') {
    throw new RunFailed(
      `no run holds the fleet ${settings.fleet}: begin one with \`reindex-fleet claim\` or \`reindex-fleet run\``,
    );
  }
  if (isReopened(chosen, command)) await requireFree(store);
  return chosen;
}

/** What a finished run says when it is asked for again; null: there is something to do. */
function resultBefore(chosen: ChosenRun, command: 'run' | PhaseCommand): CommandResult | null {
  const isOver = chosen.kind === 'finished' && !isReopened(chosen, command);
  return isOver ? { ...chosen.state.result, finished_before: true } : null;
}

/** A run that was rolled back is promoted again. */
function isReopened(chosen: ChosenRun, command: 'run' | PhaseCommand): boolean {
  return chosen.kind === 'finished' && command === 'promote' && chosen.state.rolledBack !== null;
}

async function carryOut(run: RunContext, command: 'run' | PhaseCommand): Promise<void> {
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

async function finish(
  context: CommandContext,
  run: RunContext,
  connections: SourceConnections,
): Promise<CommandResult> {
  const { state } = run.journal;
  if (state.result === null) return begunResult(state);
  await showSummary(context, state, connections);
  return state.result;
}

function promoteLimitOf({ flags }: CommandContext): number | null {
  if (flags.promoteLimit === undefined) return null;
  const limit = Number(flags.promoteLimit);
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw new UsageFault('--promote-limit is a whole number, 0 or more');
  return limit;
}
