import type { Clock } from '../../orchestrator/clock.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import type { Holder } from '../../orchestrator/journal/holder.ts';
import { FleetLock } from '../../orchestrator/journal/lock.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';

export const LEASE_MS = 15_000;

export interface ContenderOptions {
  /** What is known of whoever holds the lock. */
  readonly state?: 'alive' | 'dead' | 'unknown';
  readonly onSleep?: () => Promise<void>;
  readonly onWait?: () => Promise<void>;
  /** Awaited before the lock's object is created. */
  readonly beforeCreate?: () => Promise<void>;
  /** Awaited when an object was read, before the contender hears of it. */
  readonly afterRead?: () => Promise<void>;
}

/** Virtual time, and contenders for a fleet's lock in it. The time passes only while a contender sleeps. */
export class VirtualLease {
  nowMs = 0;

  /** Takes the lock for this purpose, as a process of its own. */
  acquire(store: JournalStore, purpose: string, options: ContenderOptions = {}): Promise<FleetLock> {
    const { state = 'unknown', onSleep, onWait = () => {}, beforeCreate, afterRead } = options;
    const since = '2026-01-01T00:00:00.000Z';
    const holder: Holder = { host: 'here', pid: 7, identity: null, since, purpose };
    const clock = this.#clock(onSleep);
    const certain = certainStore(store, clock);
    const create: JournalStore['create'] = async (name, body) => {
      await beforeCreate?.();
      return certain.create(name, body);
    };
    const read: JournalStore['read'] = async (name) => {
      const body = await certain.read(name);
      await afterRead?.();
      return body;
    };
    return FleetLock.acquire(
      { ...certain, create, read },
      holder,
      { leaseMs: LEASE_MS, waitMs: LEASE_MS * 1.2, clock, signal: new AbortController().signal },
      { stateOfHolder: () => Promise.resolve(state), onWait },
    );
  }

  #clock(onSleep?: () => Promise<void>): Clock {
    return {
      now: () => new Date(this.nowMs),
      monotonicMs: () => this.nowMs,
      sleep: async (ms) => {
        this.nowMs += ms;
        await onSleep?.();
      },
    };
  }
}
