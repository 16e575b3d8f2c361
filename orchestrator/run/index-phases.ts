import { isClusterError } from '../index/cluster-error.ts';
import { createTarget, targetState } from '../index/create.ts';
import type { IndexOrigin } from '../index/mapping.ts';
import { retainIndexes } from '../index/retain.ts';
import { fencePass } from '../passes/conduct-pass.ts';
import { plural } from '../report/words.ts';
import { releaseAliases } from './alias-claim.ts';
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

/** Deletes the earlier indexes that are no longer kept. This never happens before the promotion. */
export async function retainPhase(context: RunContext): Promise<PhaseOutcome<'retain'>> {
  const { connections, identity, offline, signal } = context;
  const targets: { index: string; kept: readonly string[]; deleted: readonly string[] }[] = [];
  for (const { alias, index, described } of context.targets) {
    const { definition } = described;
    const { retain } = definition;
    const rule = { alias, fleet: identity.fleet, current: index, claimedRun: null, retain };
    const shrinkLimit = shrinkLimitOf(offline.settings, definition);
    targets.push({ index, ...(await retainIndexes(connections.cluster, { ...rule, shrinkLimit }, signal)) });
  }
  const count = (pick: 'kept' | 'deleted'): number => targets.flatMap((target) => target[pick]).length;
  return {
    record: { targets },
    note: `${plural(count('kept'), 'earlier index', 'earlier indexes')} kept, ${count('deleted')} deleted`,
  };
}
