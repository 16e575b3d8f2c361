import { writeClaim } from '../journal/claims.ts';
import { Superseded } from '../errors.ts';
import type { RunContext } from './context.ts';
import type { PhaseOutcome } from './phases.ts';
import { resultOf } from './result.ts';

/** Records the result, then ends the claim. In this order: a result without a released claim holds nobody up. */
export async function releasePhase({ journal, offline, identity }: RunContext): Promise<PhaseOutcome> {
  const at = new Date().toISOString();
  if (journal.state.result === null) await journal.append([{ type: 'finished', at, result: resultOf(journal.state) }]);
  const released = await writeClaim(offline.store, {
    held: false,
    runKey: identity.runKey,
    run: identity.run,
    alias: identity.alias,
    definitionDigest: offline.definitionDigest,
    at,
    ended: 'finished',
  });
  if (!released) throw new Superseded('another process has written the next claim; this one stops');
  return { record: {}, note: 'the fleet is free' };
}
