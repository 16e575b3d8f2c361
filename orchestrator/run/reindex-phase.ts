import type { TaskRequest } from '../../worker/contract.ts';
import { Interrupted, RunFailed } from '../errors.ts';
import { emptyFleet } from '../fleet/empty-fleet.ts';
import { pinOf } from '../fleet/connect-fleet.ts';
import type { OpenedFleet, PassWorkers } from '../fleet/fleet-backend.ts';
import { passAliases, targetNames } from '../index/names.ts';
import { accountingOf } from '../plan/cost.ts';
import { instancesLeft } from '../reconcile/account-instances.ts';
import type { PhaseRecord } from '../reconcile/events.ts';
import type { AssignedRange } from '../reconcile/range-state.ts';
import type { RunState } from '../reconcile/state.ts';
import { PassReport } from '../report/pass-report.ts';
import { countWords, durationWords, moneyWords, plural } from '../report/words.ts';
import type { RunContext } from './context.ts';
import { limitsOf } from './limits.ts';
import { runPass } from './reindex-pass.ts';
import { spentBy } from './result.ts';
import { urlWithPassword } from './source-connection.ts';

/** The main pass: every planned range, read once. */
export async function reindexPhase(context: RunContext): Promise<{ record: PhaseRecord; note: string }> {
  const { journal } = context;
  await journal.append([
    journal.state.mainPass === 0
      ? { type: 'pass_opened', pass: journal.state.pass + 1, numbers: null }
      : { type: 'pass_resumed' },
  ]);
  const report = await workPass(context);
  const { counts } = journal.state;
  const rate = Math.round(report.rowsPerSecond(journal.state));
  const dead = counts.deadLetters === 0 ? '' : `, ${plural(counts.deadLetters, 'dead letter')}`;
  return {
    record: {
      ...counts,
      documents_per_second: rate,
      workers: context.offline.settings.workers.count,
      boot_seconds: report.bootSeconds,
    },
    note: `${plural(counts.rowsRead, 'row')} read, ${countWords(counts.indexed)} indexed${dead} (${countWords(rate)} documents/s)`,
  };
}

/** Brings workers up for the ranges of the journal's present pass and back to zero, however it ends. */
export async function workPass(context: RunContext): Promise<PassReport> {
  const { journal, lock, reporter, clock, offline, maxCost } = context;
  const accounting = accountingOf(offline.settings);
  const { outlivesProcess } = offline.settings.backend.traits;
  const workers = await openWorkers(context);
  const { zeroQuietMs } = workers.timing;
  const report = new PassReport(journal.state, { reporter, clock, accounting, zeroQuietMs });
  try {
    await clearFleet(context, workers);
    await runPass({
      journal,
      fleet: workers.fleet,
      workers: workers.calls,
      limits: limitsOf(
        { ...context.offline, ...context.described.definition.deadLetters, maxCost },
        workers.timing,
      ),
      taskOf: (range) => taskOf(context, range),
      pauseMs: workers.pauseMs,
      outlivesProcess,
      clock,
      requireHeld: () => lock.requireHeld(),
      onTrouble: (sentence) => reporter.warning(sentence),
      onBlind: () => report.blind(),
      onTick: (state, memory, observation) => report.tick(state, memory, observation),
      signal: context.signal,
    });
  } catch (error) {
    if (outlivesProcess && context.signal.reason instanceof Interrupted)
      reporter.warning(leftAtWork(journal.state));
    throw error;
  } finally {
    await workers.close();
  }
  const { stopped } = journal.state;
  if (stopped === null) return report;
  const { cost } = spentBy(journal.state, clock.now().toISOString(), accounting);
  const spent = cost === null ? '' : ` The run has cost ${moneyWords(cost)} so far.`;
  throw new RunFailed(
    `${stopped}\nThe fleet is at zero.${spent} Mend this and run the same command again: it carries on from what is settled.`,
  );
}

function openWorkers({ workers, journal, identity, lock, connections }: RunContext): Promise<PassWorkers> {
  return workers.open({
    run: identity.run,
    startedAt: identity.startedAt,
    pin: pinOf(journal.state),
    epoch: lock.epoch,
    pass: journal.state.pass,
    state: () => journal.state,
    sourceUrl: urlWithPassword(connections.sourceAddress),
    targetUrl: connections.targetUrl,
  });
}

/** What goes on without this process, and costs money. */
function leftAtWork(state: RunState): string {
  return `${plural(instancesLeft(state), 'instance')} stay at work and wait for the same command; each ends by itself when its lease is over, and \`reindex-fleet abandon\` ends all of them now`;
}

/** Before the first launch of a run: instances that are there are somebody else's, and are brought to zero first. */
async function clearFleet(
  { journal, lock, clock, signal, reporter }: RunContext,
  { fleet, timing }: OpenedFleet,
): Promise<void> {
  if (journal.state.cleared !== null) return;
  const requireHeld = (): void => lock.requireHeld();
  if (timing.zeroQuietMs > 0)
    reporter.note(
      `before the first launch the fleet is to be seen at zero for ${durationWords(timing.zeroQuietMs / 1000)}`,
    );
  const { found, gone } = await emptyFleet(fleet, {
    clock,
    requireHeld,
    signal,
    quietMs: timing.zeroQuietMs,
  });
  const names = found.map(({ id }) => id).join(', ');
  if (found.length > 0) reporter.warning(`${names} of another run were still there and are ended`);
  await journal.append([{ type: 'fleet_cleared', earlier: gone.map(({ id }) => id) }]);
}

function taskOf({ described, journal, identity, offline }: RunContext, range: AssignedRange): TaskRequest {
  const names = targetNames(identity.alias, identity.run);
  const aliases = passAliases(names, journal.state.pass);
  return {
    task_id: range.task,
    run: identity.run,
    range_id: range.id,
    attempt: range.attempt,
    worker_id: range.instance,
    definition: described.definition.name,
    definition_digest: identity.definitionDigest,
    targets: [
      {
        kind: 'bulk',
        definition: described.definition.name,
        definition_digest: identity.definitionDigest,
        index: names.index,
        write_alias: aliases.writeAlias,
        dead_letter_alias: aliases.deadLetterAlias,
      },
    ],
    start_index: range.start,
    end_index: range.end,
    max_bytes_in_flight: shareOf(offline.settings.workers, journal.state.desired),
  };
}

/**
 * What one worker may have in flight, so that all of them stay below the run's ceiling. A run that is carried on with fewer
 * may still have more of before: `desired`.
 */
function shareOf(workers: { max_bytes_in_flight: number; count: number }, desired: number): number {
  return Math.max(1, Math.floor(workers.max_bytes_in_flight / Math.max(workers.count, desired)));
}
