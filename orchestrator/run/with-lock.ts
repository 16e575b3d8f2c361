import { describeThisProcess, stateOfHolder } from '../journal/holder.ts';
import { FleetLock } from '../journal/lock.ts';
import { sleep } from '../lifetime.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Offline } from './offline.ts';

/** Does something while holding the fleet's lock; gives the lock back however that ends. */
export async function withLock<T>(
  offline: Offline,
  purpose: string,
  reporter: Reporter,
  signal: AbortSignal,
  work: (lock: FleetLock, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const leaseMs = offline.settings.journal.lease_ms;
  let told = false;
  const lock = await FleetLock.acquire(
    offline.store,
    await describeThisProcess(purpose, new Date()),
    {
      leaseMs,
      waitMs: leaseMs * 1.2,
      monotonicMs: () => performance.now(),
      sleep: (ms) => sleep(ms, signal),
    },
    stateOfHolder,
    ({ holder }) => {
      if (told) return;
      told = true;
      reporter.note(
        `waiting for the lock: ${holder.purpose}, process ${holder.pid} on ${holder.host}, since ${holder.since}`,
      );
    },
  );
  lock.startRenewing();
  try {
    return await work(lock, AbortSignal.any([signal, lock.lost]));
  } finally {
    await lock.release();
  }
}
