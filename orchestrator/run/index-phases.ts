import { isClusterError } from '../index/cluster-error.ts';
import { createTarget, targetState } from '../index/create.ts';
import { finalizeTarget, type FinalizeOptions } from '../index/finalize.ts';
import { targetNames } from '../index/names.ts';
import { retainIndexes } from '../index/retain.ts';
import { plural } from '../report/words.ts';
import type { RunContext } from './context.ts';
import type { PhaseOutcome } from './phases.ts';
import { giveClaimBack } from './run-claim.ts';

/** The concrete index and its companion for dead letters, written to through the first pass's aliases. */
export async function createIndexPhase({
  connections,
  described,
  identity,
  offline,
  journal,
  clock,
  signal,
}: RunContext): Promise<PhaseOutcome> {
  const names = targetNames(identity.alias, identity.run);
  const made = {
    fleet: identity.fleet,
    run: identity.run,
    runKey: identity.runKey,
    definitionDigest: identity.definitionDigest,
    createdAt: identity.startedAt,
  };
  signal.throwIfAborted();
  try {
    await createTarget(connections.cluster, described, made, journal.state.pass + 1);
  } catch (error) {
    // Refused, and nothing is there that a claim would have to hold. Without an answer nobody knows.
    if (!isClusterError(error, 'unreachable') && (await targetState(connections.cluster, names)) === 'absent')
      await giveClaimBack(offline, identity, clock.now().toISOString());
    throw error;
  }
  return { record: { ...names }, note: names.index };
}

/** Ends the main pass on the cluster's side and makes the index ready for readers. */
export async function finalizePhase(context: RunContext): Promise<PhaseOutcome> {
  const { connections, described, identity, journal } = context;
  const names = targetNames(identity.alias, identity.run);
  const record = await finalizeTarget(
    connections.cluster,
    described.definition,
    names,
    journal.state.pass,
    finalizeOptions(context),
  );
  return { record: { ...record }, note: `its pass is over and refreshed, health ${record.health}` };
}

export function finalizeOptions({ offline, reporter, clock, signal }: RunContext): FinalizeOptions {
  const onWait = (words: string): void => reporter.note(words);
  return { healthTimeoutMs: offline.settings.target.health_timeout_ms, onWait, clock, signal };
}

/** Deletes what is no longer kept; never before the promotion. */
export async function retainPhase({
  connections,
  described,
  identity,
  signal,
}: RunContext): Promise<PhaseOutcome> {
  const names = targetNames(identity.alias, identity.run);
  const { kept, deleted } = await retainIndexes(
    connections.cluster,
    {
      alias: identity.alias,
      fleet: identity.fleet,
      current: names.index,
      claimedRun: null,
      retain: described.definition.retain,
    },
    signal,
  );
  return {
    record: { kept, deleted },
    note: `${plural(kept.length, 'earlier index', 'earlier indexes')} kept, ${deleted.length} deleted`,
  };
}
