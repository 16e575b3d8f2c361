import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Holder } from '../journal/holder.ts';
import { FleetLock } from '../journal/lock.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Reporter } from '../report/reporter.ts';

export interface LockRequest {
  readonly store: JournalStore;
  readonly leaseMs: number;
  readonly holder: Holder;
  readonly stateOfHolder: (holder: Holder) => Promise<'alive' | 'dead' | 'unknown'>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Does something while holding the fleet's lock; gives the lock back however that ends. */
export async function withLock<T>(
  request: LockRequest,
  work: (lock: FleetLock, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { store, leaseMs, holder, stateOfHolder, clock, reporter, signal } = request;
  let told = false;
  const timing = { leaseMs, waitMs: leaseMs * 1.2, clock, signal };
  const lock = await FleetLock.acquire(store, holder, timing, stateOfHolder, ({ holder }) => {
    if (told) return;
    told = true;
    reporter.note(
      `waiting for the lock: ${holder.purpose}, process ${holder.pid} on ${holder.host}, since ${holder.since}`,
    );
  });
  lock.startRenewing();
  try {
    return await work(lock, AbortSignal.any([signal, lock.lost]));
  } finally {
    // A lock that cannot be given back runs out by itself; what was done stands.
    await lock
      .release()
      .catch((error: unknown) => reporter.warning(`the lock could not be given back: ${messageOf(error)}`));
  }
}
