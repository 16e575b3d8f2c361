import { type Claim, claimHistory } from '../journal/claims.ts';
import { readRun } from '../journal/run-journal.ts';
import { instancesLeft } from '../reconcile/account-instances.ts';
import { isPhaseDone, type Phase, PHASE_NAMES } from '../reconcile/phases.ts';
import { rangeCounts, type RunState } from '../reconcile/state.ts';
import type { Reporter } from '../report/reporter.ts';
import { plural } from '../report/words.ts';
import { unfinishedClaim } from '../run/choose-run.ts';
import { type Driver, driverWords, findDriver } from '../run/driver.ts';
import { type CommandResult, type RecordContext, runKeyOf } from './command.ts';
import { settledFigures, settledLines } from './settled-figures.ts';

/**
 * Says how the current run or a given one stands. It reads only the journal, so it is safe beside the process that
 * drives the run.
 */
export async function statusCommand(context: RecordContext): Promise<CommandResult> {
  const { store, settings } = context.offline;
  const runKey = runKeyOf(context);
  const history = await claimHistory(store);
  const claim = runKey === null ? history[0] : history.find((candidate) => candidate.runKey === runKey);
  const driver = await findDriver(store);
  const held = await unfinishedClaim(store);
  const fleet = {
    fleet: settings.fleet,
    journal: store.location,
    held_by: held?.runKey ?? null,
    process: driver,
  };
  if (claim === undefined) {
    const status = runKey === null ? 'no run yet' : `no run with key ${runKey}`;
    context.reporter.note(status);
    return { status, ...fleet };
  }
  const { state } = await readRun(store, claim.folder);
  // The process that has the lock works on the run that holds the fleet.
  const own = held?.run === claim.run ? driver : null;
  const status = standingOf(state, own !== null && own.state !== 'dead');
  sayIn(context.reporter, { status, claim, state, driver: own });
  return {
    status,
    ...fleet,
    run_key: claim.runKey,
    run: claim.run,
    ...describe(state),
  };
}

function standingOf(state: RunState, driven: boolean): string {
  if (state.abandoned) return 'abandoned';
  if (state.rolledBack !== null) return 'rolled back';
  if (state.result !== null) return 'finished';
  return driven ? 'running' : 'unfinished; the same command carries it on';
}

/** Writes the status for a person. The last line of the output holds the same. */
function sayIn(
  reporter: Reporter,
  {
    status,
    claim,
    state,
    driver,
  }: {
    readonly status: string;
    readonly claim: Claim;
    readonly state: RunState;
    readonly driver: Driver | null;
  },
): void {
  const phases = donePhases(state);
  reporter.note(`run    ${claim.runKey} of ${claim.aliases.map(({ alias }) => alias).join(', ')}: ${status}`);
  if (driver !== null) reporter.note(`driver ${driverWords(driver)}`);
  const phase = phaseUnderWay(state);
  if (phase !== null) reporter.note(`phase  ${phase}`);
  reporter.note(`done   ${phases.length === 0 ? 'nothing yet' : phases.join(', ')}`);
  for (const line of settledLines(state)) reporter.note(line);
  const instances = instancesLeft(state);
  if (instances > 0)
    reporter.note(
      `fleet  ${plural(instances, 'instance')} according to the journal; if no process drives the run, each instance ends by itself when its lease runs out`,
    );
  if (state.stopped !== null) reporter.warning(state.stopped);
}

function donePhases({ phases }: RunState): Phase[] {
  return PHASE_NAMES.filter((phase) => isPhaseDone(phases, phase));
}

/** The last phase that has begun and not ended. Null between two phases. */
function phaseUnderWay(state: RunState): string | null {
  const begun = PHASE_NAMES.filter((phase) => state.phases[phase] !== undefined);
  return begun.findLast((phase) => !isPhaseDone(state.phases, phase)) ?? null;
}

function describe(state: RunState): CommandResult {
  const { total: _, ...ranges } = rangeCounts(state);
  return {
    targets:
      state.identity?.targets.map(({ definition, alias, index }) => ({ definition, alias, index })) ?? [],
    started_at: state.identity?.startedAt ?? null,
    phase: phaseUnderWay(state),
    phases_done: donePhases(state),
    stopped: state.stopped,
    ranges,
    instances: instancesLeft(state),
    settled: settledFigures(state),
    result: state.result,
  };
}
