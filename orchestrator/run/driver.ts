import { type Holder, holderWords, stateOfHolder } from '../journal/holder.ts';
import { currentHolder } from '../journal/lock.ts';
import type { JournalStore } from '../journal/store.ts';

/** The process that has the lock, and whether it lives. `unknown` means that it runs on another machine. */
export type Driver = Holder & { readonly epoch: number; readonly state: 'alive' | 'dead' | 'unknown' };

/** The process that has the lock. Null when nobody has it. */
export async function findDriver(store: JournalStore): Promise<Driver | null> {
  const found = await currentHolder(store);
  if (found === null) return null;
  return { ...found.holder, epoch: found.epoch, state: await stateOfHolder(found.holder) };
}

export function driverWords(driver: Driver): string {
  return `${holderWords(driver)}${driver.state === 'dead' ? ', is dead' : ''}`;
}
