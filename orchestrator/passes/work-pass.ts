import type { TaskRequest } from '../../worker/contract.ts';
import { Interrupted, RunFailed } from '../errors.ts';
import { emptyFleet } from '../fleet/empty-fleet.ts';
import { deadLetterWords } from '../index/dead-letter-words.ts';
import { passAliases } from '../index/names.ts';
import type { OpenedFleet } from '../fleet/fleet-backend.ts';
import { accountingOf } from '../plan/cost.ts';
import { instancesLeft } from '../reconcile/account-instances.ts';
import type { AssignedRange } from '../reconcile/range-state.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Limits } from '../reconcile/tick.ts';
import { PassReport } from '../report/pass-report.ts';
import { durationWords, moneyWords, plural } from '../report/words.ts';
import type { RunContext } from '../run/context.ts';
import { runPass } from '../run/reindex-pass.ts';
import { restartOf } from '../run/outdated-run.ts';
import { spentBy } from '../run/result.ts';
import type { Pass } from './pass.ts';
import { openPassWorkers, passLimits } from './pass-workers.ts';
import { targetsOf } from './pass-targets.ts';

/** Brings workers up for the ranges of a pass. However the pass ends, it brings them back to zero. */
export async function workPass(context: RunContext, pass: Pass): Promise<PassReport> {
  const { journal, lock, reporter, clock, offline } = context;
  const accounting = accountingOf(offline.settings);
  const { outlivesProcess, ...workers } = await openPassWorkers(context, pass);
  const limits = passLimits(context, pass, workers.timing);
  const { zeroQuietMs } = workers.timing;
  const report = new PassReport(journal.state, { reporter, clock, accounting, zeroQuietMs });
  try {
    if (pass.workers === 'fleet') await clearFleet(context, workers);
    await runPass({
      journal,
      fleet: workers.fleet,
      workers: workers.calls,
      limits,
      taskOf: (range) => taskOf(context, pass, range, limits.workers),
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
  const buried = await overLimitWords(context, pass, limits);
  throw new RunFailed(
    `${stopped}${buried}\nThe fleet is at zero.${spent} Remove the cause and run the same command again: it carries on from what is settled. If the definition is the cause, mend it and give \`${restartOf(context.identity.runKey)}\`.`,
  );
}

/** Shows a dead letter of each target that has more of them than its limit allows. */
async function overLimitWords(context: RunContext, pass: Pass, { stopLimits }: Limits): Promise<string> {
  const { connections, journal } = context;
  const over = journal.state.counts.targets.filter(
    ({ index, deadLetters }) => deadLetters > (stopLimits[index] ?? 0),
  );
  const words: string[] = [];
  for (const { index, deadLetterIndex } of targetsOf(context, pass))
    if (over.some((counts) => counts.index === index))
      words.push(`\n${await deadLetterWords(connections.cluster, deadLetterIndex)}`);
  return words.join('');
}

/** Says what goes on without this process, and costs money. */
function leftAtWork(state: RunState): string {
  return `${plural(instancesLeft(state), 'instance')} still run and wait for the same command. Each ends by itself when its lease runs out. \`reindex-fleet abandon\` ends all of them now`;
}

/** Brings the fleet to zero before a run's first launch. Instances that are there belong to somebody else. */
async function clearFleet(
  { journal, lock, clock, signal, reporter }: RunContext,
  { fleet, timing }: OpenedFleet,
): Promise<void> {
  if (journal.state.cleared !== null) return;
  const requireHeld = (): void => lock.requireHeld();
  if (timing.zeroQuietMs > 0)
    reporter.note(
      `before the first launch the fleet must stay at zero for ${durationWords(timing.zeroQuietMs / 1000)}`,
    );
  const { found, gone } = await emptyFleet(fleet, {
    clock,
    requireHeld,
    signal,
    quietMs: timing.zeroQuietMs,
  });
  const names = found.map(({ id }) => id).join(', ');
  if (found.length > 0)
    reporter.warning(`instances of another run were still there, and this run ended them: ${names}`);
  await journal.append([{ type: 'fleet_cleared', earlier: gone.map(({ id }) => id) }]);
}

function taskOf(context: RunContext, pass: Pass, range: AssignedRange, workers: number): TaskRequest {
  const { journal, identity, offline, targets } = context;
  const [reading] = targets;
  return {
    task_id: range.task,
    run: identity.run,
    range_id: range.id,
    attempt: range.attempt,
    worker_id: range.instance,
    definition: reading.definition,
    definition_digest: reading.definitionDigest,
    targets: targetsOf(context, pass).map((target) => {
      const { writeAlias, deadLetterAlias } = passAliases(target, pass.number);
      return {
        kind: 'bulk',
        definition: target.definition,
        definition_digest: target.definitionDigest,
        index: target.index,
        write_alias: writeAlias,
        dead_letter_alias: deadLetterAlias,
      };
    }),
    start_index: range.start,
    end_index: range.end,
    ...(pass.reads.kind === 'changed-since' ? { changed_since: pass.reads.since } : {}),
    max_bytes_in_flight: shareOf(
      offline.settings.workers.max_bytes_in_flight,
      workers,
      journal.state.desired,
    ),
  };
}

/**
 * The bytes that one worker may have in flight, so that all workers stay below the run's limit. A run that is carried
 * on with fewer workers may still have more from before: `desired`.
 */
function shareOf(maxBytesInFlight: number, workers: number, desired: number): number {
  return Math.max(1, Math.floor(maxBytesInFlight / Math.max(workers, desired)));
}
