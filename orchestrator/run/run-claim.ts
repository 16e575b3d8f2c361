import { Superseded } from '../errors.ts';
import { type Claim, type ClaimedAlias, writeClaim } from '../journal/claims.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunIdentity, RunTarget } from '../reconcile/identity.ts';

/**
 * A run's claim on its fleet and on the alias of each of its targets: taken before anything is made, ended with the run's
 * result. A run whose index the cluster refused has made nothing: it gives its claim back, and its key is good for another
 * try.
 */
export function takeClaim(store: JournalStore, identity: RunIdentity, at: string): Promise<void> {
  return write(store, identity, { held: true, ended: null, at });
}

export function finishClaim(store: JournalStore, identity: RunIdentity, at: string): Promise<void> {
  return write(store, identity, { held: false, ended: 'finished', at });
}

export function giveClaimBack(store: JournalStore, identity: RunIdentity, at: string): Promise<void> {
  return write(store, identity, { held: false, ended: null, at });
}

/** @throws Superseded when another process wrote the next claim first */
async function write(
  store: JournalStore,
  { run, runKey, targets }: RunIdentity,
  standing: Pick<Claim, 'held' | 'ended' | 'at'>,
): Promise<void> {
  if (!(await writeClaim(store, { ...standing, runKey, run, aliases: targets.map(claimed) })))
    throw new Superseded('another process wrote the next claim at the same moment; this one stops');
}

/** Offline nobody knows the types of the columns, so a claim has the definition's own digest alone. */
function claimed({ alias, definition, definitionDigest }: RunTarget): ClaimedAlias {
  return { alias, definition, definitionDigest: definitionDigest.split('.')[0] ?? definitionDigest };
}
