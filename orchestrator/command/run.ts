import { systemClock } from '../clock.ts';
import { RunFailed, UsageFault } from '../errors.ts';
import { guardedCalls } from '../index/guarded-calls.ts';
import { begunResult, showSummary } from '../report/summary.ts';
import { claimRun, prepareRun } from '../run/begin-run.ts';
import { checkJournal } from '../run/check.ts';
import { type ChosenRun, chooseRun, requireFree } from '../run/choose-run.ts';
import { carryOut } from '../run/carry-out.ts';
import type { RunContext } from '../run/context.ts';
import { connectBoth, type SourceConnections } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandContext, type CommandResult, runKeyOf } from './command.ts';
import type { PhaseCommand } from './command-line.ts';
import { lockRequest } from './lock-request.ts';
import { maxCostOf } from './max-cost.ts';

/**
 * Does `run`, or one phase of a run by name. It looks who holds the fleet before it starts anything. It chooses the run
 * again under the lock, because that may have changed in between.
 */
export async function runCommandOrPhase(
  context: CommandContext,
  command: 'run' | PhaseCommand,
): Promise<CommandResult> {
  const promoteLimit = promoteLimitOf(context);
  const maxCost = maxCostOf(context, command);
  if (command === 'run' || command === 'claim') await checkJournal(context.offline, context.workers);
  const before = resultBefore(await choose(context, command), command);
  if (before !== null) return before;
  const connections = await connectBoth(context.offline, context.reporter);
  try {
    // The process that holds the lock may claim the fleet for another key.
    const request = await lockRequest(context, command, () => choose(context, command));
    return await withLock(request, async (lock, signal) => {
      const chosen = await choose(context, command);
      const meanwhile = resultBefore(chosen, command);
      if (meanwhile !== null) return meanwhile;
      const begun = await prepareRun({ ...context, connections }, chosen);
      signal.throwIfAborted();
      const journal = await claimRun(context.offline.store, begun, chosen, {
        lock,
        clock: systemClock,
      });
      const run: RunContext = {
        ...begun,
        offline: context.offline,
        connections: {
          ...connections,
          cluster: guardedCalls(connections.cluster, () => lock.requireHeld(), signal),
        },
        journal,
        lock,
        workers: context.workers,
        clock: systemClock,
        reporter: context.reporter,
        signal,
        promoteLimit,
        accepts: {
          shrink: context.flags.allowShrink === true,
          foreign: context.flags.replaceForeign === true,
        },
        host: request.holder.host,
        maxCost,
      };
      context.reporter.note(
        `run ${run.identity.run}, key ${run.identity.runKey}${chosen.kind === 'new' ? '' : ', carried on'}`,
      );
      await carryOut(run, command);
      return await finish(context, run, connections);
    });
  } finally {
    await connections.close();
  }
}

async function choose(context: CommandContext, command: 'run' | PhaseCommand): Promise<ChosenRun> {
  const { store, definitionDigest, settings } = context.offline;
  const chosen = await chooseRun(store, {
    runKey: runKeyOf(context),
    definitionDigests: [definitionDigest],
    now: new Date(),
  });
  if (chosen.kind === 'new' && command !== 'run' && command !== 'claim') {
    throw new RunFailed(
      `no run holds the fleet ${settings.fleet}: begin one with \`reindex-fleet claim\` or \`reindex-fleet run\``,
    );
  }
  if (isReopened(chosen, command)) await requireFree(store);
  return chosen;
}

/** The result of a finished run that is asked for again. Null when there is something to do. */
function resultBefore(chosen: ChosenRun, command: 'run' | PhaseCommand): CommandResult | null {
  const isOver = chosen.kind === 'finished' && !isReopened(chosen, command);
  return isOver ? { ...chosen.state.result, finished_before: true } : null;
}

/** Whether a run that was rolled back is promoted again. */
function isReopened(chosen: ChosenRun, command: 'run' | PhaseCommand): boolean {
  return chosen.kind === 'finished' && command === 'promote' && chosen.state.rolledBack !== null;
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
    throw new UsageFault('--promote-limit must be a whole number, 0 or more');
  return limit;
}
