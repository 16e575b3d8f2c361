import { describe, expect, it } from 'vitest';
import { FleetLock } from '../../orchestrator/journal/lock.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { LEASE_MS, VirtualLease } from '../support/virtual-lease.ts';

const DEPLOYMENT = 'pulumi up (stack production)';

describe('a process that goes on with the lock of a program that has ended', () => {
  it('keeps other processes from the fleet until it gives the lock back', async () => {
    const { store, processes, claim } = await programThatEnded();
    const kept = await adopt(store, claim);
    const renewals = { onWait: async () => kept?.renew() };
    await expect(processes.acquire(store, 'reindex-fleet run', renewals)).rejects.toThrow(
      `another process holds the fleet: ${DEPLOYMENT}`,
    );
    await kept?.release();
    expect((await processes.acquire(store, 'reindex-fleet run')).epoch).toBe(2);
  });

  it('shows a sign of life at once, so that a process that waits already goes on waiting', async () => {
    const { store, processes, claim } = await programThatEnded();
    let waitedMs = 0;
    const waiting = processes.acquire(store, 'reindex-fleet run', {
      onWait: async () => {
        if (waitedMs === 0 && processes.nowMs >= LEASE_MS / 2) {
          waitedMs = processes.nowMs;
          await adopt(store, claim);
        }
      },
    });
    await expect(waiting).rejects.toThrow('another process holds the fleet');
    expect(processes.nowMs).toBeGreaterThan(LEASE_MS);
  });

  it('does nothing when the program has released the lock', async () => {
    const { store, program, claim } = await programThatEnded();
    await program.release();
    const before = new Map(store.objects);
    expect(await adopt(store, claim)).toBeNull();
    expect(store.objects).toEqual(before);
  });

  it('leaves a lock to the process that has taken it over', async () => {
    const { store, processes, claim } = await programThatEnded();
    const run = await processes.acquire(store, 'reindex-fleet run');
    expect(await adopt(store, claim)).toBeNull();
    await run.renew();
    expect(run.lost.aborted).toBe(false);
  });

  it('takes no lock of the same number that another process has made', async () => {
    const { store, claim } = await programThatEnded();
    expect(await adopt(store, { ...claim, nonce: 'of another' })).toBeNull();
  });
});

async function programThatEnded() {
  const store = new MemoryStore();
  const processes = new VirtualLease();
  const program = await processes.acquire(store, DEPLOYMENT);
  return { store, processes, program, claim: program.claim };
}

function adopt(store: MemoryStore, claim: FleetLock['claim']): Promise<FleetLock | null> {
  const clock = { now: () => new Date(0), monotonicMs: () => 0, sleep: () => Promise.resolve() };
  return FleetLock.adopt(store, claim, {
    leaseMs: LEASE_MS,
    waitMs: 0,
    clock,
    signal: new AbortController().signal,
  });
}
