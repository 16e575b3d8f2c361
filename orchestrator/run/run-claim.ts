import { Superseded } from '../errors.ts';
import { type Claim, writeClaim } from '../journal/claims.ts';
import type { RunIdentity } from '../reconcile/events.ts';
import type { Offline } from './offline.ts';

/**
 * A run's claim on its fleet: taken before anything is made, ended with the run's result. A run whose index the
 * cluster refused has made nothing: it gives its claim back, and its key is good for another try.
 */
export function takeClaim(offline: Offline, identity: RunIdentity, at: string): Promise<void> {
  return write(offline, identity, { held: true, ended: null, at });
}

export function finishClaim(offline: Offline, identity: RunIdentity, at: string): Promise<void> {
  return write(offline, identity, { held: false, ended: 'finished', at });
}

export function giveClaimBack(offline: Offline, identity: RunIdentity, at: string): Promise<void> {
  return write(offline, identity, { held: false, ended: null, at });
}

/** @throws Superseded when another process wrote the next claim first */
async function write(
  offline: Offline,
  identity: RunIdentity,
  standing: Pick<Claim, 'held' | 'ended' | 'at'>,
): Promise<void> {
  const { run, runKey, alias } = identity;
  const written = await writeClaim(offline.store, {
    ...standing,
    runKey,
    run,
    alias,
    definitionDigest: offline.definitionDigest,
  });
  if (!written)
    throw new Superseded('another process wrote the next claim at the same moment; this one stops');
}
