import type { Clock } from '../clock.ts';
import { RunFailed, Superseded } from '../errors.ts';
import { deleteTarget } from '../index/create.ts';
import { guardedCalls } from '../index/guarded-calls.ts';
import { targetNames } from '../index/names.ts';
import { pointsTo, readAlias } from '../index/promote.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import { type Claim, writeClaim } from '../journal/claims.ts';
import type { FleetLock } from '../journal/lock.ts';
import { RunJournal } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunState } from '../reconcile/state.ts';
import { releaseAlias } from './alias-claim.ts';
import { endableClaim } from './choose-run.ts';
import type { FleetBackend } from '../fleet/fleet-backend.ts';
import { emptyWorkers } from './empty-workers.ts';

export interface AbandonOptions {
  readonly store: JournalStore;
  readonly cluster: SearchCalls;
  readonly openFleet: FleetBackend['openFleet'];
  readonly lock: FleetLock;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The run's key. Null: the run that holds the fleet. */
  readonly runKey: string | null;
}

/**
 * Ends the unfinished run that holds the fleet. It brings the fleet to zero, deletes the index and ends the claim. The
 * alias stays where it is. It may be repeated after it was cut off anywhere.
 *
 * @returns the ended claim; null when no run holds the fleet
 * @throws RunFailed when another run holds the fleet, when this run has moved the alias already, or when the fleet does
 * not reach zero in time
 */
export async function abandonRun(options: AbandonOptions): Promise<Claim | null> {
  const { store, lock, clock, signal, runKey } = options;
  const claim = await endableClaim(store);
  if (claim === null) return null;
  if (runKey !== null && runKey !== claim.runKey)
    throw new RunFailed(
      `the run with key ${claim.runKey} holds the fleet, not ${runKey}: give that key, or leave --run-key out`,
    );
  const requireHeld = (): void => lock.requireHeld();
  const journal = await RunJournal.open({
    store,
    runFolder: claim.folder,
    epoch: lock.epoch,
    requireHeld,
    now: () => clock.now(),
  });
  const cluster = guardedCalls(options.cluster, requireHeld, signal);
  if (await isPromoted(cluster, claim, journal.state))
    throw new RunFailed(
      `run ${claim.runKey} has moved the alias already: finish it with \`reindex-fleet run\`. Then \`reindex-fleet rollback\` moves the alias back`,
    );
  // The workers end first. Otherwise workers that wait for a resume would write to what is deleted, and cost money.
  await emptyWorkers({ ...options, openFleet: () => options.openFleet(journal.state.pin) });
  signal.throwIfAborted();
  for (const { alias } of claim.aliases)
    await deleteTarget(cluster, targetNames(alias, claim.run), claim.run);
  // Before the journal says that the run is over. Afterwards nobody would look for its claim on the alias.
  const { identity } = journal.state;
  if (identity !== null)
    for (const { alias } of identity.targets) await releaseAlias(cluster, alias, identity);
  const at = clock.now().toISOString();
  await journal.append(journal.state.abandoned ? [] : [{ type: 'abandoned', at }]);
  const { schema: _schema, nonce: _nonce, ...content } = claim;
  requireHeld();
  if (!(await writeClaim(store, { ...content, held: false, at, ended: 'abandoned' })))
    throw new Superseded('another process wrote the next claim, so this one stops');
  return claim;
}

/** Whether the alias has moved. Where the record is missing because the move was cut off, the alias itself shows it. */
async function isPromoted(
  cluster: SearchCalls,
  { aliases, run }: Claim,
  { promotions, promotionIntents }: RunState,
): Promise<boolean> {
  if (promotions.size > 0) return true;
  for (const { alias } of aliases) {
    const { index } = targetNames(alias, run);
    if (promotionIntents.has(index) && pointsTo(await readAlias(cluster, alias), [index])) return true;
  }
  return false;
}
