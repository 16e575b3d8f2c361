import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RunExclusion } from '../../infra/exclusion/run-exclusion.ts';
import type { Clock } from '../../orchestrator/clock.ts';
import { FleetHeld, RunFailed } from '../../orchestrator/errors.ts';
import { BucketMissing } from '../../orchestrator/journal/bucket-failure.ts';
import { runFolder, writeClaim } from '../../orchestrator/journal/claims.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { LEASE_MS, VirtualLease } from '../support/virtual-lease.ts';
import { claimedAliases, runResult } from '../support/run-values.ts';

const SINCE = '2026-01-01T00:00:00.000Z';
const HELD_BY_RUN =
  /^fleet books: the run with key monday \(alias books\) has held the fleet since 2026-01-01T00:00:00.000Z; .*\. A deployment would change the fleet under the run\. `npm run reindex-fleet -- status --stack production` .* shows how the run stands\. .* or end it with `abandon`\. Then deploy again\.$/;

let store: MemoryStore;
let nowMs: number;
/** Of other processes, whose state is not known from here. */
let others: VirtualLease;
/** What happens beside the deployment while it waits. */
let meanwhile: () => Promise<void>;
let said: string[];
/** Ends the pause before the next renewal. */
let renew: () => void;

beforeEach(() => {
  store = new MemoryStore();
  nowMs = 0;
  others = new VirtualLease();
  meanwhile = async () => {};
  said = [];
  renew = () => {};
});

describe('a deployment', () => {
  it('holds the fleet’s lock in the name of its stack until it releases the lock, so that a run is refused', async () => {
    const deployment = exclusion();
    await deployment.ensure();
    expect(await currentHolder(store)).toMatchObject({ holder: { purpose: 'pulumi up (stack production)' } });

    const contender = others.acquire(store, 'reindex-fleet run', { onSleep: async () => renew() });
    await expect(contender).rejects.toThrow(FleetHeld);
    await expect(contender).rejects.toThrow(/pulumi up \(stack production\), process \d+ on .+, since /);

    await deployment.release();
    expect((await others.acquire(store, 'reindex-fleet run')).epoch).toBe(2);
  });

  it('is refused while a run holds the fleet, and the refusal says which run, since when, who drives it and what to do', async () => {
    await claim('monday');
    await others.acquire(store, 'reindex-fleet run');
    const before = new Map(store.objects);
    const refused = exclusion().ensure();
    await expect(refused).rejects.toThrow(FleetHeld);
    await expect(refused).rejects.toThrow(HELD_BY_RUN);
    await expect(refused).rejects.toThrow(
      `; reindex-fleet run, process 7 on here, since ${SINCE} drives it, if that process still lives.`,
    );
    // No lock of the deployment's speaks for the run when `sweep` asks how long nobody drove it.
    expect(store.objects).toEqual(before);
  });

  it('is refused between two commands of a run, even when no process drives the run', async () => {
    await claim('monday');
    const refused = exclusion().ensure();
    await expect(refused).rejects.toThrow(HELD_BY_RUN);
    await expect(refused).rejects.toThrow(/; no process drives it now\. /);
  });

  it('goes on when the last run is finished, abandoned or has released its claim', async () => {
    await claim('monday', false);
    await claim('tuesday');
    const journal = await RunJournal.open({
      store,
      runFolder: runFolder('tuesday'),
      epoch: 1,
      requireHeld: () => {},
      now: () => new Date(SINCE),
    });
    await journal.append([{ type: 'finished', at: SINCE, result: runResult() }]);
    await expect(exclusion().ensure()).resolves.toBeUndefined();
  });

  it('waits for another process that holds the lock, and is refused if that process lives on', async () => {
    const rollback = await others.acquire(store, 'reindex-fleet rollback');
    meanwhile = () => rollback.renew();
    const refused = exclusion().ensure();
    await expect(refused).rejects.toThrow(FleetHeld);
    await expect(refused).rejects.toThrow(
      /^another process holds the fleet: reindex-fleet rollback, process 7 on here, since .*\. Deploy again when it has ended\.$/,
    );
    expect(nowMs).toBeGreaterThanOrEqual(LEASE_MS);
    expect(said).toEqual([expect.stringMatching(/^info: waiting for the lock: reindex-fleet rollback/)]);
  });

  it('goes on when the process that held the lock has ended', async () => {
    const rollback = await others.acquire(store, 'reindex-fleet rollback');
    meanwhile = () => rollback.release();
    await exclusion().ensure();
    expect(await currentHolder(store)).toMatchObject({ epoch: 2 });
  });

  it('is refused as soon as the process that it waits for has claimed the fleet for a run', async () => {
    await others.acquire(store, 'reindex-fleet run');
    meanwhile = () => claim('monday');
    await expect(exclusion().ensure()).rejects.toThrow(HELD_BY_RUN);
    expect(nowMs).toBeLessThan(LEASE_MS);
  });

  it('releases the lock again when a run claimed the fleet at the last moment', async () => {
    const list = store.list.bind(store);
    store.list = async (folder, part) => {
      if (folder === 'locks') await claim('monday');
      return list(folder, part);
    };
    await expect(exclusion().ensure()).rejects.toThrow(HELD_BY_RUN);
    expect(await currentHolder(store)).toBeNull();
  });

  it('warns that a run may begin beside it when it loses the lock', async () => {
    await exclusion().ensure();
    await others.acquire(store, 'reindex-fleet run');
    renew();
    await vi.waitFor(() => expect(said).toHaveLength(1));
    expect(said[0]).toMatch(
      /^warn: this deployment goes on without the fleet's lock: epoch 2 has taken the lock over from epoch 1\. A run may begin while the fleet is half deployed/,
    );
  });

  it('warns of nothing when it has deleted the journal’s bucket itself', async () => {
    await exclusion().ensure();
    const missing = (): Promise<never> => Promise.reject(new BucketMissing('there is no bucket books'));
    const list = vi.spyOn(store, 'list').mockImplementation(missing);
    nowMs += 2 * LEASE_MS;
    renew();
    await vi.waitFor(() => expect(list.mock.calls.length).toBeGreaterThanOrEqual(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual([]);
  });

  it('goes on without a lock while there is no bucket, and excludes runs once the bucket exists', async () => {
    const list = vi
      .spyOn(store, 'list')
      .mockRejectedValue(new BucketMissing('there is no bucket books: make it'));
    const deployment = exclusion();
    await deployment.ensure();
    expect(said).toEqual([]);
    list.mockRestore();
    await claim('monday');
    await expect(deployment.ensure()).rejects.toThrow(HELD_BY_RUN);
  });

  it('fails when the journal cannot be read', async () => {
    vi.spyOn(store, 'list').mockRejectedValue(new RunFailed('the permission s3:ListBucket is missing'));
    await expect(exclusion().ensure()).rejects.toThrow('the permission s3:ListBucket is missing');
  });
});

describe('a preview of a deployment', () => {
  it('warns of a run that would refuse the deployment, and writes nothing', async () => {
    await claim('monday');
    const before = new Map(store.objects);
    await exclusion(true).ensure();
    expect(said).toEqual([
      expect.stringMatching(/^warn: fleet books: the run with key monday .* deploy again\.$/),
    ]);
    expect(store.objects).toEqual(before);
  });

  it('warns of another process that holds the lock, and does not wait', async () => {
    await others.acquire(store, 'reindex-fleet rollback');
    await exclusion(true).ensure();
    expect(said).toEqual([
      expect.stringMatching(/^warn: another process holds the fleet: reindex-fleet rollback, process 7/),
    ]);
    expect(nowMs).toBe(0);
  });

  it('warns that the journal cannot be read', async () => {
    vi.spyOn(store, 'list').mockRejectedValue(new RunFailed('the permission s3:ListBucket is missing'));
    await exclusion(true).ensure();
    expect(said).toEqual(['warn: the permission s3:ListBucket is missing']);
  });

  it('warns of nothing when the fleet is free', async () => {
    await exclusion(true).ensure();
    expect(said).toEqual([]);
    expect(store.objects.size).toBe(0);
  });
});

/** As the hook before a deletion asks. */
describe('a deployment that checks its lock again', () => {
  it('goes on without any call while it still holds the lock', async () => {
    const deployment = exclusion();
    await deployment.ensure();
    const list = vi.spyOn(store, 'list');
    await Promise.all([deployment.ensure(), deployment.ensure()]);
    expect(list).not.toHaveBeenCalled();
  });

  it('takes a lost lock again, only once for all that ask at the same time', async () => {
    const deployment = exclusion();
    await deployment.ensure();
    nowMs += 2 * LEASE_MS;
    await Promise.all([deployment.ensure(), deployment.ensure()]);
    expect(await currentHolder(store)).toMatchObject({ epoch: 2 });
  });

  it('is refused when a run has begun after the lock was lost', async () => {
    const deployment = exclusion();
    await deployment.ensure();
    nowMs += 2 * LEASE_MS;
    await claim('monday');
    await expect(deployment.ensure()).rejects.toThrow(HELD_BY_RUN);
  });
});

function exclusion(preview = false): RunExclusion {
  const clock: Clock = {
    now: () => new Date(Date.UTC(2026, 0, 1) + nowMs),
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      await meanwhile();
    },
  };
  const renewalClock: Clock = {
    ...clock,
    sleep: (_, signal) =>
      new Promise((wake, stop) => {
        renew = wake;
        signal.addEventListener('abort', () => stop(signal.reason as Error));
      }),
  };
  return new RunExclusion({
    store,
    fleet: 'books',
    leaseMs: LEASE_MS,
    stack: 'production',
    preview,
    log: {
      info: (sentence) => said.push(`info: ${sentence}`),
      warn: (sentence) => said.push(`warn: ${sentence}`),
    },
    clock,
    renewalClock,
  });
}

async function claim(runKey: string, held = true): Promise<void> {
  const ended = held ? null : ('finished' as const);
  await writeClaim(store, {
    held,
    runKey,
    run: `run-of-${runKey}`,
    aliases: claimedAliases('books'),
    at: SINCE,
    ended,
  });
}
