import { accountingOf } from '../plan/cost.ts';
import { ClusterError } from '../index/cluster-error.ts';
import { releaseAliases } from './alias-claim.ts';
import type { RunContext } from './context.ts';
import type { PhaseOutcome } from './phase-outcome.ts';
import { resultOf } from './result.ts';
import { finishClaim } from './run-claim.ts';

/**
 * Gives the aliases back, records the result, then ends the claim. The order matters: a run with a result holds
 * nothing, even if its claim is not ended yet.
 */
export async function releasePhase(context: RunContext): Promise<PhaseOutcome<'release'>> {
  const { journal, offline, identity, clock, lock } = context;
  await giveAliasesBack(context);
  const at = clock.now().toISOString();
  if (journal.state.result === null)
    await journal.append([
      { type: 'finished', at, result: resultOf(journal.state, at, accountingOf(offline.settings)) },
    ]);
  lock.requireHeld();
  await finishClaim(offline.store, { identity, journal }, at);
  return { record: {}, note: 'the fleet is free' };
}

/** The aliases have moved, so a cluster that refuses to remove the claims on them fails nothing. */
async function giveAliasesBack(context: RunContext): Promise<void> {
  try {
    await releaseAliases(context);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const aliases = context.identity.targets.map(({ alias }) => alias).join(', ');
    context.reporter.warning(
      `the run is done, but its claim on ${aliases} could not be removed: ${error.message}. The next run of this fleet takes the claim over. For another fleet, free it with \`reindex-fleet abandon --alias\`.`,
    );
  }
}
