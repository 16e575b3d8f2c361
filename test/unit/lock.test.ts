import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FleetHeld, Superseded } from '../../orchestrator/errors.ts';
import { currentHolder, type FleetLock } from '../../orchestrator/journal/lock.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { type ContenderOptions, LEASE_MS, VirtualLease } from '../support/virtual-lease.ts';

let lease: VirtualLease;
let store: MemoryStore;

beforeEach(() => {
  lease = new VirtualLease();
  store = new MemoryStore();
});

describe('the fleet lock', () => {
  it('is given to one holder at a time, with a rising epoch', async () => {
    const first = await acquire('a');
    expect(first.epoch).toBe(1);
    await first.release();
    expect((await acquire('b')).epoch).toBe(2);
  });

  it('is refused while its holder renews it', async () => {
    const held = await acquire('a');
    const contender = acquire('b', { onSleep: () => held.renew() });
    await expect(contender).rejects.toThrow(FleetHeld);
    await expect(contender).rejects.toThrow(/process 7 on here, since 2026-01-01T00:00:00.000Z \(epoch 1\)/);
    expect(held.lost.aborted).toBe(false);
  });

  it('is taken over only after it stood unchanged for a whole lease', async () => {
    await acquire('a');
    const contender = await acquire('b');
    expect(contender.epoch).toBe(2);
    expect(lease.nowMs).toBeGreaterThanOrEqual(LEASE_MS);
  });

  it('is taken over at once when its holder is proven dead', async () => {
    await acquire('a');
    const contender = await acquire('b', { state: 'dead' });
    expect(contender.epoch).toBe(2);
    expect(lease.nowMs).toBe(0);
  });

  it('counts as lost for its first holder after a takeover', async () => {
    const paused = await acquire('a');
    const other = await acquire('b');
    await paused.renew();
    expect(paused.lost.reason).toBeInstanceOf(Superseded);
    await other.renew();
    expect(other.lost.aborted).toBe(false);
    expect(await currentHolder(store)).toMatchObject({ epoch: 2, holder: { purpose: 'b' } });
  });

  it.each([
    [
      'of a newer version',
      { schema: 3 },
      'a newer version wrote the lock locks/000000000001.json (schema 3; this version reads up to 2)',
    ],
    ['with a field that nobody knows', { until: 'noon' }, 'Unrecognized key: "until"'],
  ])('is not taken when an existing lock is %s', async (_what, change, words) => {
    const held = await acquire('a');
    await held.release();
    const [name] = [...store.objects.keys()];
    const record = JSON.parse(store.objects.get(name ?? '') ?? '');
    store.objects.set(name ?? '', JSON.stringify({ ...record, ...change }));
    const contender = acquire('b');
    await expect(contender).rejects.toThrow(name);
    await expect(contender).rejects.toThrow(words);
    expect([...store.objects.keys()]).toEqual([name]);
  });

  it('refuses further work of its holder after the release', async () => {
    const held = await acquire('a');
    await held.release();
    expect(() => held.requireHeld()).toThrow(Superseded);
  });

  it('is lost when another process wrote the same epoch, as in a journal that was deleted meanwhile', async () => {
    const held = await acquire('a');
    store.objects.clear();
    const other = await acquire('b');
    await held.renew();
    expect(held.lost.reason).toBeInstanceOf(Superseded);
    expect(await currentHolder(store)).toMatchObject({ epoch: other.epoch, holder: { purpose: 'b' } });
  });

  it('fails at once when the wait is declared hopeless', async () => {
    const held = await acquire('a');
    const reason = new FleetHeld('another key holds the fleet');
    const contender = acquire('b', { onWait: () => Promise.reject(reason) });
    await expect(contender).rejects.toBe(reason);
    expect(lease.nowMs).toBe(0);
    expect(held.lost.aborted).toBe(false);
  });

  it.for(['', '{"schema":1,"epo', '{"schema":2}', 'garbage'])(
    'names an object that is no lock, and touches nothing: %j',
    async (body) => {
      store.objects.set('locks/000000000003.json', body);
      const named =
        /the journal in memory cannot be read: .*locks\/000000000003.json .* Nothing was changed/s;
      await expect(acquire('a')).rejects.toThrow(named);
      expect([...store.objects.keys()]).toEqual(['locks/000000000003.json']);
    },
  );

  it('is not taken under a number that was used and swept while its contender slept', async () => {
    const first = await acquire('a');
    await first.release();
    let slept = false;
    // Between its look and its write others come and go, and the number that it saw as the next is swept away.
    const contender = await acquire('b', {
      beforeCreate: async () => {
        if (slept) return;
        slept = true;
        const second = await acquire('c');
        await second.release();
        await acquire('d').then((third) => third.release());
        await store.remove('locks/000000000002.json');
      },
    });
    expect(contender.epoch).toBe(4);
  });

  it('is not taken over because of an answer that came late', async () => {
    const held = await acquire('a');
    let looks = 0;
    const contender = acquire('b', {
      onSleep: async () => {
        if (looks > 1) await held.renew();
      },
      // The answer to the second look finds the contender asleep, and the holder goes on.
      afterRead: async () => {
        looks += 1;
        for (let thirds = looks === 2 ? 6 : 0; thirds > 0; thirds -= 1) {
          lease.nowMs += LEASE_MS / 3;
          await held.renew();
        }
      },
    });
    await expect(contender).rejects.toThrow(FleetHeld);
    await held.renew();
    expect(held.lost.reason).toBeUndefined();
  });

  it('is used after a late takeover only when the last holder must know of its loss', async () => {
    const held = await acquire('a');
    let renewedMs = 0;
    const contender = await acquire('b', {
      beforeCreate: async () => {
        await held.renew();
        renewedMs = lease.nowMs;
      },
    });
    expect(contender.epoch).toBe(2);
    expect(lease.nowMs - renewedMs).toBeGreaterThanOrEqual(LEASE_MS);
    expect(() => held.requireHeld()).toThrow(Superseded);
    contender.requireHeld();
  });

  it('is lost when another process takes it over during a renewal', async () => {
    const held = await acquire('a');
    const replace = store.replace.bind(store);
    store.replace = async (name, body) => {
      store.replace = replace;
      await store.create('locks/000000000002.json', '{}');
      await replace(name, body);
    };
    await held.renew();
    expect(held.lost.reason).toBeInstanceOf(Superseded);
  });

  it('stays with the new holder when a superseded holder releases it', async () => {
    const paused = await acquire('a');
    const other = await acquire('b');
    await paused.release();
    expect(await currentHolder(store)).toMatchObject({ epoch: other.epoch });
  });

  it('is acquired even when the answer to its write is lost', async () => {
    store.loseNextAnswer = true;
    expect((await acquire('a')).epoch).toBe(1);
  });

  it('refuses further work of a holder that slept through its lease, even without a takeover', async () => {
    const held = await acquire('a');
    held.requireHeld();
    lease.nowMs += LEASE_MS;
    expect(() => held.requireHeld()).toThrow(/stood still for longer than its lease/);
    expect(held.lost.aborted).toBe(true);
  });

  it('is renewed every third of a lease, however long the previous renewal took', async () => {
    const held = await acquire('a');
    const beganMs: number[] = [];
    const replace = store.replace.bind(store);
    store.replace = (name, body) => {
      beganMs.push(lease.nowMs);
      if (beganMs.length === 3) void held.release();
      if (beganMs.length > 1) return replace(name, body);
      lease.nowMs += 4_000;
      return Promise.reject(new Error('it hung'));
    };
    held.startRenewing();
    await vi.waitFor(() => expect(beganMs.length).toBeGreaterThanOrEqual(4));
    expect(beganMs.slice(0, 3)).toEqual([LEASE_MS / 3, (2 * LEASE_MS) / 3, LEASE_MS]);
    expect(held.lost.aborted).toBe(false);
  });

  it('survives a failing store for less than a lease, and no longer', async () => {
    const held = await acquire('a');
    store.failReplace = new Error('disk full');
    lease.nowMs += LEASE_MS - 1;
    await held.renew();
    expect(held.lost.aborted).toBe(false);
    lease.nowMs += 2;
    await held.renew();
    expect(String(held.lost.reason)).toMatch(/could not be renewed for a whole lease: disk full/);
  });
});

function acquire(purpose: string, options?: ContenderOptions): Promise<FleetLock> {
  return lease.acquire(store, purpose, options);
}
