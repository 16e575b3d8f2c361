import type { Clock } from '../clock.ts';
import { RunFailed, Superseded } from '../errors.ts';
import { deleteTarget } from '../index/create.ts';
import { guardedCalls } from '../index/guarded-calls.ts';
import { targetNames } from '../index/names.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import { type Claim, runFolder, writeClaim } from '../journal/claims.ts';
import type { FleetLock } from '../journal/lock.ts';
import { RunJournal } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';
import { unfinishedClaim } from './choose-run.ts';

export interface AbandonOptions {
  readonly store: JournalStore;
  readonly cluster: SearchCalls;
  readonly lock: FleetLock;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Which run; null: the one that holds the fleet. */
  readonly runKey: string | null;
}

/**
 * Ends the unfinished run that holds the fleet: its index is deleted, the alias stays where it is, its claim ends.
 * Null: no run holds the fleet. May be repeated after it was cut off anywhere.
 *
 * @throws RunFailed when another run holds the fleet, or this one has moved the alias already
 */
export async function abandonRun(options: AbandonOptions): Promise<Claim | null> {
  const { store, lock, clock, signal, runKey } = options;
  const claim = await unfinishedClaim(store);
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
  if (journal.state.promotion !== null)
    throw new RunFailed(
      `run ${claim.runKey} has moved the alias already: finish it with \`reindex-fleet run\`, then \`reindex-fleet rollback\` if it must not stay`,
    );
  signal.throwIfAborted();
  await deleteTarget(
    guardedCalls(options.cluster, requireHeld),
    targetNames(claim.alias, claim.run),
    claim.run,
  );
  const at = clock.now().toISOString();
  await journal.append([{ type: 'abandoned', at }]);
  const { schema: _schema, nonce: _nonce, ...content } = claim;
  requireHeld();
  if (!(await writeClaim(store, { ...content, held: false, at, ended: 'abandoned' })))
    throw new Superseded('another process wrote the next claim; this one stops');
  return claim;
}
