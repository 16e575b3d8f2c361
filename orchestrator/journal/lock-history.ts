import { LOCKS, type LockRecord, readLock } from './lock-record.ts';
import { numberOf } from './numbered.ts';
import type { JournalStore } from './store.ts';

/**
 * When a process other than a sweeper last held the lock, by that process's clock. Null when none did since `since`. A
 * run may live for long without a word in its journal, so its lock counts too.
 */
export async function lastHeldAt(
  store: JournalStore,
  { belowEpoch, since }: { readonly belowEpoch: number; readonly since: Date },
): Promise<Date | null> {
  for (let epoch = belowEpoch - 1; epoch > 0; epoch -= 1) {
    const record = await readLock(store, epoch);
    if (record === null || lastTimeOf(record) < since) return null;
    if (record.holder.sweeps !== true) return lastTimeOf(record);
  }
  return null;
}

/**
 * Deletes locks that were last renewed before `before`, oldest first. It never deletes the newest, because a used
 * number must never be the next again. It returns how many it deleted.
 */
export async function removeOldLocks(
  store: JournalStore,
  { before, requireHeld }: { readonly before: Date; readonly requireHeld: () => void },
): Promise<number> {
  let removed = 0;
  for (const name of (await store.list(LOCKS)).slice(0, -1)) {
    const record = await readLock(store, numberOf(name));
    if (record !== null && lastTimeOf(record) >= before) break;
    requireHeld();
    await store.remove(name);
    removed += 1;
  }
  return removed;
}

function lastTimeOf({ renewedAt, holder }: LockRecord): Date {
  return new Date(renewedAt ?? holder.since);
}
