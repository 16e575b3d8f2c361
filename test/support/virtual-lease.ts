import type { Clock } from '../../orchestrator/clock.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import type { Holder } from '../../orchestrator/journal/holder.ts';
import { FleetLock } from '../../orchestrator/journal/lock.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';

export const LEASE_MS = 15_000;

/** Time that passes only while somebody sleeps, and contenders for a fleet's lock who live in it. */
export class VirtualLease {
  nowMs = 0;
  readonly clock: Clock = {
    now: () => new Date(this.nowMs),
    monotonicMs: () => this.nowMs,
    sleep: (ms) => {
      this.nowMs += ms;
      return Promise.resolve();
    },
  };

  /** Takes the lock for this purpose, by another process than the others. */
  acquire(store: JournalStore, purpose: string): Promise<FleetLock> {
    const holder: Holder = {
      host: 'here',
      pid: 7,
      identity: null,
      since: '2026-01-01T00:00:00.000Z',
      purpose,
    };
    const { clock } = this;
    return FleetLock.acquire(
      certainStore(store, clock),
      holder,
      { leaseMs: LEASE_MS, waitMs: LEASE_MS * 1.2, clock, signal: new AbortController().signal },
      () => Promise.resolve('unknown'),
      () => {},
    );
  }
}
