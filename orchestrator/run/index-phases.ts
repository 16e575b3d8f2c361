import { ClusterError, isClusterError } from '../index/cluster-error.ts';
import { createTarget, targetState } from '../index/create.ts';
import type { IndexOrigin } from '../index/mapping.ts';
import { retainIndexes } from '../index/retain.ts';
import { fencePass } from '../passes/conduct-pass.ts';
import { plural } from '../report/words.ts';
import { otherClaimingRun, releaseAliases } from './alias-claim.ts';
import type { DescribedTarget, RunContext } from './context.ts';
import type { PhaseOutcome } from './phase-outcome.ts';
import { giveClaimBack } from './run-claim.ts';
import { shrinkLimitOf } from './shrink-limit.ts';

/**
 * Creates the target indexes and their companions for dead letters. Both are written to through the first pass's
 * aliases.
 */
export async function createIndexPhase(context: RunContext): Promise<PhaseOutcome<'create-index'>> {
  const { targets, signal } = context;
  for (const target of targets) {
    signal.throwIfAborted();
    await createOrGiveBack(context, target);
  }
  return {
    record: {
      targets: targets.map(({ index, deadLetterIndex }) => ({ index, dead_letter_index: deadLetterIndex })),
    },
    note: targets.map(({ index }) => index).join(', '),
  };
}

async function createOrGiveBack(context: RunContext, target: DescribedTarget): Promise<void> {
  const { connections, identity, offline, journal, clock, targets, reporter } = context;
  const { cluster } = connections;
  const origin: IndexOrigin = {
    fleet: identity.fleet,
    run: identity.run,
    runKey: identity.runKey,
    definitionDigest: target.definitionDigest,
    createdAt: identity.startedAt,
  };
  try {
    const { warnings } = await createTarget(cluster, target.described, origin, journal.state.lastPass + 1);
    for (const warning of warnings) reporter.warning(warning);
  } catch (error) {
    // The cluster refused, and nothing was created, so the claim holds nothing. Without an answer nobody knows.
    if (!isClusterError(error, 'unreachable')) {
      const states = await Promise.all(targets.map((each) => targetState(cluster, each)));
      if (states.every((state) => state === 'absent')) {
        await releaseAliases(context);
        await giveClaimBack(offline.store, { identity, journal }, clock.now().toISOString());
      }
    }
    throw error;
  }
}

/** Ends the main pass in the cluster, and makes the indexes ready for readers. */
export async function finalizePhase(context: RunContext): Promise<PhaseOutcome<'finalize'>> {
  const targets = await fencePass(context);
  const health = [...new Set(targets.map((target) => target.health))].join(' and ');
  return { record: { targets }, note: `ready for readers, health ${health}` };
}

/**
 * Deletes the earlier indexes that are no longer kept. This never happens before the promotion. The alias has moved, so
 * what cannot be deleted is a warning, and the next run deletes it.
 */
export async function retainPhase(context: RunContext): Promise<PhaseOutcome<'retain'>> {
  const targets: PhaseOutcome<'retain'>['record']['targets'][number][] = [];
  for (const target of context.targets) targets.push(await retainFor(context, target));
  const count = (pick: 'kept' | 'deleted'): number => targets.flatMap((target) => target[pick]).length;
  const leftCount = targets.flatMap(({ left = [] }) => left).length;
  const left = leftCount === 0 ? '' : `, ${leftCount} left for the next run`;
  return {
    record: { targets },
    note: `${plural(count('kept'), 'earlier index', 'earlier indexes')} kept, ${count('deleted')} deleted${left}`,
  };
}

async function retainFor(
  { connections, identity, offline, reporter, clock, signal }: RunContext,
  { alias, index, described }: DescribedTarget,
): Promise<PhaseOutcome<'retain'>['record']['targets'][number]> {
  const { definition } = described;
  const shrinkLimit = shrinkLimitOf(offline.settings, definition);
  const rule = { alias, fleet: identity.fleet, current: index, retain: definition.retain, shrinkLimit };
  const waiting = {
    waitingTimeoutMs: offline.settings.target.waiting_timeout_ms,
    onWait: (words: string): void => reporter.note(words),
    clock,
    signal,
  };
  try {
    const claimedRun = await otherClaimingRun(connections.cluster, alias, identity);
    const { left, ...retained } = await retainIndexes(connections.cluster, { ...rule, claimedRun }, waiting);
    for (const { index: name, reason } of left)
      reporter.warning(
        `${alias} serves ${index}, and the run is done, but the earlier index ${name} could not be deleted: ${reason}. The next run tries again.`,
      );
    return { index, ...retained, left };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    reporter.warning(
      `${alias} serves ${index}, and the run is done, but the earlier indexes of ${alias} could not be looked at, so none was deleted: ${error.message}. The next run tries again.`,
    );
    return { index, kept: [], deleted: [] };
  }
}
