import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { type Holder, holderWords } from '../journal/holder.ts';
import { FleetLock } from '../journal/lock.ts';
import type { LockRecord } from '../journal/lock-record.ts';
import { unlessItHangs } from '../lifetime.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Reporter } from '../report/reporter.ts';

export interface LockRequest {
  readonly store: JournalStore;
  readonly leaseMs: number;
  readonly holder: Holder;
  readonly stateOfHolder: (holder: Holder) => Promise<'alive' | 'dead' | 'unknown'>;
  readonly clock: Clock;
  readonly reporter: Pick<Reporter, 'note' | 'warning'>;
  readonly signal: AbortSignal;
  /** Asked while another process holds the lock; throws when there is nothing to wait for. */
  readonly whileHeld?: (record: LockRecord) => Promise<unknown>;
}

/**
 * Does something while holding the fleet's lock; gives the lock back however that ends, also when it hangs after a
 * signal: what is left behind then finds the lock given back before it changes anything more.
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
    // What is cut off by the loss fails in many ways; the loss is the reason.
    throw lock.lost.aborted ? lock.lost.reason : error;
  } finally {
    // A lock that cannot be given back runs out by itself; what was done stands.
    await lock
      .release()
      .catch((error: unknown) => reporter.warning(`the lock could not be given back: ${messageOf(error)}`));
  }
}

/**
 * Takes the fleet's lock: waits for another holder for a lease and a bit, and says for whom. Nothing renews it yet.
 *
 * @throws FleetHeld when that holder is still alive then
 */
export function takeLock(request: LockRequest): Promise<FleetLock> {
  const { store, leaseMs, holder, stateOfHolder, clock, reporter, signal } = request;
  let told = false;
  const timing = { leaseMs, waitMs: leaseMs * 1.2, clock, signal };
  const onWait = async (record: LockRecord): Promise<void> => {
    if (!told) reporter.note(`waiting for the lock: ${holderWords(record.holder)}`);
    told = true;
    await request.whileHeld?.(record);
  };
  return FleetLock.acquire(store, holder, timing, { stateOfHolder, onWait });
}
