import { RunFailed, UsageFault } from '../errors.ts';
import { targetState } from '../index/create.ts';
import { targetNames } from '../index/names.ts';
import { begunResult, showSummary } from '../report/summary.ts';
import { claimRun, prepareRun } from '../run/begin-run.ts';
import { type ChosenRun, chooseRun } from '../run/choose-run.ts';
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
export async function runCommandOrPhase(context: CommandContext, command: 'run' | PhaseCommand): Promise<CommandResult> {
  const promoteLimit = promoteLimitOf(context);
  const chosen = await choose(context);
  const reopens = chosen.kind === 'finished' && command === 'promote' && chosen.state.rolledBack !== null;
  if (chosen.kind === 'finished' && !reopens) return { ...chosen.state.result, finished_before: true };
  if (chosen.kind === 'new' && command !== 'run' && command !== 'claim') {
    throw new RunFailed(`no run holds the fleet ${context.offline.settings.fleet}: begin one with \`reindex-fleet claim\` or \`reindex-fleet run\``);
  }
  const connections = await connectBoth(context.offline, context.reporter);
  try {
    return await withLock(context.offline, `reindex-fleet ${command}`, context.reporter, context.signal, async (lock, signal) => {
      const again = await choose(context, chosen);
      if (again.kind === 'finished' && !reopens) return { ...again.state.result, finished_before: true };
      const begun = await prepareRun(context.offline, connections, again, context.reporter);
      signal.throwIfAborted();
      const journal = await claimRun(context.offline, begun, again, lock);
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
      context.reporter.note(`run ${run.identity.run}, key ${run.identity.runKey}${again.kind === 'new' ? '' : ', carried on'}`);
      await carryOut(run, command);
      return await finish(context, run, connections);
    });
  } finally {
    await connections.close();
  }
}

function choose(context: CommandContext, before?: ChosenRun): Promise<ChosenRun> {
  const { store, definitionDigest } = context.offline;
  const runKey = before?.kind === 'new' ? before.runKey : runKeyOf(context);
  return chooseRun(store, { runKey, definitionDigest, now: new Date() });
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
  await journal.append([{ type: 'target_lost', reason }]);
}

function requireBefore({ journal }: RunContext, phase: WorkPhase): void {
  const missing = WORK_PHASE_NAMES.slice(0, WORK_PHASE_NAMES.indexOf(phase)).filter(
    (name) => (journal.state.phases[name]?.finishedAt ?? null) === null,
  );
  if (missing.length > 0) throw new RunFailed(`before ${phase} comes ${missing.join(', then ')}: \`reindex-fleet ${missing[0]}\``);
}

async function finish(context: CommandContext, run: RunContext, connections: SourceConnections): Promise<CommandResult> {
  const { state } = run.journal;
  if (state.result === null) return begunResult(state);
  await showSummary(context, state, connections);
  return state.result;
}

function promoteLimitOf({ flags }: CommandContext): number | null {
  if (flags.promoteLimit === undefined) return null;
  const limit = Number(flags.promoteLimit);
  if (!Number.isSafeInteger(limit) || limit < 0) throw new UsageFault('--promote-limit is a whole number, 0 or more');
  return limit;
}
