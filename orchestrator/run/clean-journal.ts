import { allClaims, type Claim, claimHistory, oldestClaim } from '../journal/claims.ts';
import { removeOldLocks } from '../journal/lock-history.ts';
import { removeDefinitions } from '../journal/run-definitions.ts';
import { isHalfRemoved, readRun, removeRun } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';

export interface CleaningOptions {
  readonly store: JournalStore;
  /** Throws when the lock is lost. */
  readonly requireHeld: () => void;
  readonly now: Date;
  /** How long the records of an ended run are kept. */
  readonly keepMs: number;
  /** How long a lock is kept after its last renewal. */
  readonly keepLocksMs: number;
}

export interface Cleaned {
  readonly locks: number;
  /** Keys of the runs whose journals and claims were deleted. Nothing is known of these runs any more. */
  readonly runs: readonly string[];
}

/**
 * Deletes by age what nobody needs any more: all locks but the newest, and the claims and journals of runs that are
 * over. It touches nothing of the newest claim's run, which may hold the fleet. It also keeps the newest promotion of
 * each alias, because a rollback needs it. The next cleaning finishes one that was cut off.
 */
export async function cleanJournal(options: CleaningOptions): Promise<Cleaned> {
  const { store, requireHeld, now, keepMs, keepLocksMs } = options;
  const before = (ms: number): Date => new Date(now.getTime() - ms);
  const locks = await removeOldLocks(store, { before: before(keepLocksMs), requireHeld });
  const runs: string[] = [];
  const removable = await removableRuns(store, before(keepMs));
  const claims = removable.length === 0 ? [] : await allClaims(store);
  for (const { run, runKey, folder } of removable) {
    await removeRun(store, folder, requireHeld);
    requireHeld();
    await removeDefinitions(store, folder);
    // Claims are deleted last, the newest of them at the end. So a run whose journal is half deleted is found again.
    for (const { name } of claims.filter(({ claim }) => claim.run === run).toReversed()) {
      requireHeld();
      await store.remove(name);
    }
    runs.push(runKey);
  }
  return { locks, runs };
}

/**
 * Runs that ended before `before`, newest first. Where no run is that old, as at most sweeps, only the list of claims
 * is read.
 */
async function removableRuns(store: JournalStore, before: Date): Promise<Claim[]> {
  const oldest = await oldestClaim(store);
  if (oldest === null || new Date(oldest.at) >= before) return [];
  const history = await claimHistory(store);
  // Only the newest claim can hold the fleet.
  const old = new Set(history.slice(1).filter(({ at }) => new Date(at) < before));
  const removable: Claim[] = [];
  const promoted = new Set<string>();
  for (const claim of old.size === 0 ? [] : history) {
    const aliases = claim.aliases.map(({ alias }) => alias);
    const isNewest = aliases.some((alias) => !promoted.has(alias));
    if (!isNewest && !old.has(claim)) continue;
    const standing = await standingOf(store, claim, before);
    if (standing === 'promoted' && isNewest) for (const alias of aliases) promoted.add(alias);
    else if (standing !== 'young' && old.has(claim)) removable.push(claim);
  }
  return removable;
}

async function standingOf(
  store: JournalStore,
  { folder }: Claim,
  before: Date,
): Promise<'promoted' | 'young' | 'old'> {
  if (await isHalfRemoved(store, folder)) return 'old';
  const { state, writtenAt } = await readRun(store, folder);
  if (state.promotions.size > 0 && state.rolledBack === null) return 'promoted';
  return writtenAt !== null && writtenAt >= before ? 'young' : 'old';
}
