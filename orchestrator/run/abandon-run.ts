import type { Clock } from '../clock.ts';
import { RunFailed, Superseded } from '../errors.ts';
import { deleteTarget } from '../index/create.ts';
import { guardedCalls } from '../index/guarded-calls.ts';
import { targetNames } from '../index/names.ts';
import { pointsTo, readAlias } from '../index/promote.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import { type Claim, runFolder, writeClaim } from '../journal/claims.ts';
import type { FleetLock } from '../journal/lock.ts';
import { RunJournal } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunState } from '../reconcile/state.ts';
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
  /** Which run; null: the one that holds the fleet. */
  readonly runKey: string | null;
}

/**
 * Ends the unfinished run that holds the fleet: its fleet is brought to zero, its index is deleted, the alias stays where
 * it is, its claim ends. Null: no run holds the fleet. May be repeated after it was cut off anywhere.
 *
 * @throws RunFailed when another run holds the fleet, this one has moved the alias already, or its fleet is not at zero
 *   in time
 */
export async function abandonRun(options: AbandonOptions): Promise<Claim | null> {
  const { store, lock, clock, signal, runKey } = options;
  const claim = await endableClaim(store);
  if (claim === null) return null;
  if (runKey !== null && runKey !== claim.runKey)
    throw new RunFailed(`the fleet is held by the run with key ${claim.runKey}, not by ${runKey}`);
  const requireHeld = (): void => lock.requireHeld();
  const journal = await RunJournal.open({
    store,
    runFolder: runFolder(claim.runKey),
    epoch: lock.epoch,
    requireHeld,
    now: () => clock.now(),
  });
  const cluster = guardedCalls(options.cluster, requireHeld, signal);
  if (await isPromoted(cluster, claim, journal.state))
    throw new RunFailed(
      `run ${claim.runKey} has moved the alias already: finish it with \`reindex-fleet run\`, then \`reindex-fleet rollback\` if it must not stay`,
    );
  // First, or workers that wait for a resume would write to what is deleted, and cost money for nothing.
  await emptyWorkers({ ...options, openFleet: () => options.openFleet(journal.state.pin) });
  signal.throwIfAborted();
  for (const { alias } of claim.aliases)
    await deleteTarget(cluster, targetNames(alias, claim.run), claim.run);
  const at = clock.now().toISOString();
  await journal.append(journal.state.abandoned ? [] : [{ type: 'abandoned', at }]);
  const { schema: _schema, nonce: _nonce, ...content } = claim;
  requireHeld();
  if (!(await writeClaim(store, { ...content, held: false, at, ended: 'abandoned' })))
    throw new Superseded('another process wrote the next claim; this one stops');
  return claim;
}

/** A move that was cut off between call and record is seen by where the alias points. */
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
