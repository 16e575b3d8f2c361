import type { Clock } from '../clock.ts';
import { FleetHeld, messageOf } from '../errors.ts';
import type { Holder } from '../journal/holder.ts';
import { describeHeld, FleetLock } from '../journal/lock.ts';
import type { LockRecord } from '../journal/lock-record.ts';
import { unlessItHangs } from '../lifetime.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Reporter } from '../report/reporter.ts';
import { type LockWait, NO_WAIT, Patience } from './lock-wait.ts';

export interface LockRequest {
  readonly store: JournalStore;
  readonly leaseMs: number;
  readonly holder: Holder;
  readonly stateOfHolder: (holder: Holder) => Promise<'alive' | 'dead' | 'unknown'>;
  readonly clock: Clock;
  readonly reporter: Pick<Reporter, 'note' | 'warning'>;
  readonly signal: AbortSignal;
  /** How long the command waits for another process. By default a little longer than a lease. */
  readonly wait?: LockWait;
  /** Called while another process holds the lock. It throws when there is nothing to wait for. */
  readonly whileHeld?: (record: LockRecord) => Promise<unknown>;
}

/**
 * Does some work under the fleet's lock, and releases the lock however the work ends. That holds even if the work hangs
 * after a signal: whatever is left then finds the lock released before it changes anything more.
 */
export async function withLock<T>(
  request: LockRequest,
  work: (lock: FleetLock, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, reporter, signal } = request;
  const lock = await takeLock(request);
  const held = AbortSignal.any([signal, lock.lost]);
  lock.startRenewing();
  try {
    return await unlessItHangs(work(lock, held), held, clock);
  } catch (error) {
    // After the loss of the lock, work fails in many ways. The loss is the reason.
    throw lock.lost.aborted ? lock.lost.reason : error;
  } finally {
    // A lock that cannot be released expires by itself. The work stands.
    await lock
      .release()
      .catch((error: unknown) =>
        reporter.warning(`the lock could not be released; it expires by itself: ${messageOf(error)}`),
      );
  }
}

/**
 * Takes the fleet's lock. If another process holds it, it waits as long as `wait` says, and tells for whom. Nothing renews
 * the lock yet.
 *
 * @throws FleetHeld when that process is still alive then
 */
export function takeLock(request: LockRequest): Promise<FleetLock> {
  const { store, leaseMs, holder, stateOfHolder, clock, reporter, signal } = request;
  const patience = new Patience(request.wait ?? NO_WAIT, leaseMs);
  const timing = { leaseMs, waitMs: Number.POSITIVE_INFINITY, clock, signal };
  const onWait = async (record: LockRecord): Promise<void> => {
    const { isOver, words } = patience.look(record.holder, clock.monotonicMs());
    if (!patience.isForThisRun(record.holder)) await request.whileHeld?.(record);
    if (isOver) throw new FleetHeld(describeHeld(record));
    if (words !== null) reporter.note(words);
  };
  return FleetLock.acquire(store, holder, timing, { stateOfHolder, onWait });
}
