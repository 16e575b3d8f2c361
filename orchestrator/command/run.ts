import { systemClock } from '../clock.ts';
import { FleetHeld, RunFailed, UsageFault } from '../errors.ts';
import { guardedCalls } from '../index/guarded-calls.ts';
import { begunResult, showSummary } from '../report/summary.ts';
import { claimRun } from '../run/begin-run.ts';
import { checkJournal } from '../run/check.ts';
import { type ChosenRun, chooseRun, requireFree } from '../run/choose-run.ts';
import { carryOut } from '../run/carry-out.ts';
import { findDriver } from '../run/driver.ts';
import type { LockWait } from '../run/lock-wait.ts';
import { OutdatedRun } from '../run/outdated-run.ts';
import { type OutdatedChoice, prepareOrRestart } from '../run/restart-run.ts';
import type { RunContext } from '../run/context.ts';
import { connectBoth, type SourceConnections } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandContext, type CommandResult, runKeyOf } from './command.ts';
import type { PhaseCommand } from './command-line.ts';
import { lockRequest } from './lock-request.ts';
import { maxCostOf } from './max-cost.ts';
import { lockWaitOf } from './wait-option.ts';

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
  const wait = lockWaitOf(context, true);
  const before = await resultNow(context, command, wait);
  if (before !== null) return before;
  const connections = await connectBoth(context.offline, context.reporter);
  try {
    const whileHeld = (): Promise<void> => lookMeanwhile(context, command, wait);
    const request = await lockRequest(context, command, { wait, whileHeld });
    return await withLock(request, async (lock, signal) => {
      const choice = await choose(context, command);
      const meanwhile = resultBefore(choice, command);
      if (meanwhile !== null) return meanwhile;
      const { chosen, begun } = await prepareOrRestart({ ...context, connections }, choice, {
        restart: mayRestart(context),
        cluster: connections.cluster,
        lock,
        clock: systemClock,
        signal,
      });
      signal.throwIfAborted();
      const journal = await claimRun(context.offline.store, begun, chosen, {
        lock,
        clock: systemClock,
        loaded: context.offline.loaded,
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
  } catch (error) {
    if (error instanceof FinishedMeanwhile) return error.result;
    throw error;
  } finally {
    await connections.close();
  }
}

/** Another process has finished the run for which this command waits. */
class FinishedMeanwhile extends Error {
  readonly result: CommandResult;

  constructor(result: CommandResult) {
    super('the run is finished');
    this.result = result;
  }
}

/**
 * Looks at the run while a process of another run, or of none, holds the lock. That process may have claimed the fleet.
 * Or this command has waited for a process of the same run, and a third one was faster to take the lock.
 *
 * @throws FinishedMeanwhile when the run has its result
 * @throws FleetHeld when another run holds the fleet, and nothing says how long to wait
 */
async function lookMeanwhile(
  context: CommandContext,
  command: 'run' | PhaseCommand,
  { withinMs }: LockWait,
): Promise<void> {
  const result = await choose(context, command).then(
    (choice) => resultBefore(choice, command),
    (error: unknown) => {
      if (error instanceof FleetHeld && withinMs !== null) return null;
      throw error;
    },
  );
  if (result !== null) throw new FinishedMeanwhile(result);
}

/** The result of a finished run. Null when there is something to do, or somebody to wait for. */
async function resultNow(
  context: CommandContext,
  command: 'run' | PhaseCommand,
  { withinMs }: LockWait,
): Promise<CommandResult | null> {
  try {
    return resultBefore(await choose(context, command), command);
  } catch (error) {
    const waits = error instanceof FleetHeld && withinMs !== null && withinMs > 0;
    if (!waits || (await findDriver(context.offline.store)) === null) throw error;
    return null;
  }
}

async function choose(
  context: CommandContext,
  command: 'run' | PhaseCommand,
): Promise<ChosenRun | OutdatedChoice> {
  try {
    return await chooseUpToDate(context, command);
  } catch (error) {
    if (!(error instanceof OutdatedRun) || !mayRestart(context)) throw error;
    return { kind: 'outdated', claim: error.claim, why: error.why };
  }
}

/** `--restart` of `run` and `claim`. */
function mayRestart({ flags }: CommandContext): boolean {
  return flags.restart === true;
}

async function chooseUpToDate(context: CommandContext, command: 'run' | PhaseCommand): Promise<ChosenRun> {
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
function resultBefore(
  chosen: ChosenRun | OutdatedChoice,
  command: 'run' | PhaseCommand,
): CommandResult | null {
  const isOver = chosen.kind === 'finished' && !isReopened(chosen, command);
  return isOver ? { ...chosen.state.result, finished_before: true } : null;
}

/** Whether a run that was rolled back is promoted again. */
function isReopened(chosen: ChosenRun | OutdatedChoice, command: 'run' | PhaseCommand): boolean {
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
