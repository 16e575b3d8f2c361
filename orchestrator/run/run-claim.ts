import { Superseded } from '../errors.ts';
import { type Claim, type ClaimedAlias, writeClaim } from '../journal/claims.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunIdentity, RunTarget } from '../reconcile/identity.ts';

/** A run, and the folder of its journal. */
interface ClaimingRun {
  readonly identity: RunIdentity;
  readonly journal: { readonly folder: string };
}

/**
 * Takes a run's claim on its fleet and on the alias of each target. A run takes it before it creates anything, and ends
 * it with its result. If the cluster refuses the index, the run has created nothing. Then it gives its claim back, and
 * its key can be used again.
 */
export function takeClaim(store: JournalStore, run: ClaimingRun, at: string): Promise<void> {
  return write(store, run, { held: true, ended: null, at });
}

export function finishClaim(store: JournalStore, run: ClaimingRun, at: string): Promise<void> {
  return write(store, run, { held: false, ended: 'finished', at });
}

export function giveClaimBack(store: JournalStore, run: ClaimingRun, at: string): Promise<void> {
  return write(store, run, { held: false, ended: null, at });
}

/** @throws Superseded when another process wrote the next claim first */
async function write(
  store: JournalStore,
  { identity: { run, runKey, targets }, journal: { folder } }: ClaimingRun,
  standing: Pick<Claim, 'held' | 'ended' | 'at'>,
): Promise<void> {
  if (!(await writeClaim(store, { ...standing, runKey, run, folder, aliases: targets.map(claimed) })))
    throw new Superseded('another process wrote the next claim at the same moment, so this one stops');
}

/**
 * The part of a target that goes into a claim. Nobody knows the columns' types offline, so a claim has only the
 * definition's own digest.
 */
function claimed({ alias, definition, definitionDigest }: RunTarget): ClaimedAlias {
  return { alias, definition, definitionDigest: definitionDigest.split('.')[0] ?? definitionDigest };
}
