import { accountingOf } from '../plan/cost.ts';
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
  await releaseAliases(context);
  const at = clock.now().toISOString();
  if (journal.state.result === null)
    await journal.append([
      { type: 'finished', at, result: resultOf(journal.state, at, accountingOf(offline.settings)) },
    ]);
  lock.requireHeld();
  await finishClaim(offline.store, { identity, journal }, at);
  return { record: {}, note: 'the fleet is free' };
}
