import { beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { Superseded, Unreachable } from '../../orchestrator/errors.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import { RunJournal, readRun } from '../../orchestrator/journal/run-journal.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { type ApiProxy, type Fault, startApiProxy } from '../aws/api-proxy.ts';
import { createTestBucket, openTestStore } from '../aws/test-bucket.ts';
import type { TestScope } from '../support/run-setup.ts';
import { uniqueName } from '../support/search-calls.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { LEASE_MS, VirtualLease } from '../support/virtual-lease.ts';

/** A journal in a bucket whose calls fail as those of S3 do. */

const awsUrl = inject('awsUrl') ?? '';
let bucket: string;
beforeAll(async () => {
  if (awsUrl !== '') bucket = await createTestBucket(awsUrl);
});

interface Faulty {
  readonly store: JournalStore;
  readonly proxy: ApiProxy;
}

async function open(scope: TestScope, prefix = uniqueName('journal')): Promise<Faulty> {
  const proxy = await startApiProxy(scope, awsUrl);
  return { proxy, store: await openTestStore(proxy.url, { bucket, prefix }) };
}

describe.skipIf(awsUrl === '')('a journal store in a bucket', { timeout: 120_000 }, () => {
  const FAULTS: readonly Fault[] = [
    'conflict',
    'lost call',
    'lost answer',
    'internal error',
    'unavailable',
    'throttled',
  ];

  it.for(FAULTS)('survives any of its calls failing once: %s', async (fault, scope) => {
    const { proxy, store } = await open(scope);
    const certain = certainStore(store, systemClock);
    proxy.fail({ action: 'PutObject', times: 1, with: fault });
    expect(await certain.create('n/1', 'mine')).toBe('created');
    expect(await certain.create('n/1', 'not mine')).toBe('exists');
    proxy.fail({ action: 'GetObject', times: 1, with: fault });
    expect(await certain.read('n/1')).toBe('mine');
    proxy.fail({ action: 'ListObjectsV2', times: 1, with: fault });
    expect(await certain.list('n')).toEqual(['n/1']);
    proxy.fail({ action: 'DeleteObject', times: 1, with: fault });
    await certain.remove('n/1');
    expect(await certain.list('n')).toEqual([]);
  });

  it.for(FAULTS)('names the failed call and says that the fault may pass: %s', async (fault, scope) => {
    const { proxy, store } = await open(scope, 'books');
    await store.replace('lock', 'first');
    proxy.fail({ action: 'PutObject', times: 1, with: fault });
    const failure = await store.replace('lock', 'second').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unreachable);
    expect(String(failure)).toMatch(
      new RegExp(`the journal cannot be written: s3:PutObject on s3://${bucket}/books/lock: .+ \\(.+\\)$`),
    );
    expect(await store.read('lock')).toBe(fault === 'lost answer' ? 'second' : 'first');
    await store.replace('lock', 'third');
    expect(await store.read('lock')).toBe('third');
  });

  it('names the expected owner in each call', async (scope) => {
    const { proxy, store } = await open(scope);
    await store.create('n/1', '');
    await store.replace('n/1', 'x');
    await store.list('n');
    await store.remove('n/1');
    const calls = proxy.calls.filter(({ service }) => service === 's3');
    expect(new Set(calls.map(({ action }) => action)).size).toBe(4);
    for (const { parameters } of calls)
      expect(parameters).toMatchObject({ 'x-amz-expected-bucket-owner': '123456789012' });
    expect(proxy.callsOf('GetCallerIdentity')).toHaveLength(1);
  });

  it('has exactly one winner among 16 whose calls fail, and each knows whether it won', {
    tags: 'long',
  }, async (scope) => {
    const prefix = uniqueName('journal');
    const bystander = await openTestStore(awsUrl, { bucket, prefix });
    const contenders: Faulty[] = [];
    for (let i = 0; i < 16; i += 1) contenders.push(await open(scope, prefix));
    for (let round = 0; round < 4; round += 1) {
      const name = `race/${round}`;
      for (const [i, { proxy }] of contenders.entries()) {
        proxy.mend();
        const [first, second] = [faultOf(i + round), faultOf(i * 3 + round)];
        if (first !== null) proxy.fail({ action: 'PutObject', times: 1, with: first });
        if (second !== null) proxy.fail({ action: 'PutObject', times: 1, with: second });
        // Each has three tries at writing, and three at reading what stands there.
        proxy.fail({ action: 'GetObject', times: 2, with: first ?? 'lost answer' });
      }
      const results = await Promise.all(
        contenders.map(({ store }, i) => certainStore(store, systemClock).create(name, `body ${i}`)),
      );
      expect(results.filter((result) => result === 'created')).toHaveLength(1);
      expect(await bystander.read(name)).toBe(`body ${results.indexOf('created')}`);
    }
  });

  function faultOf(number: number): Fault | null {
    return FAULTS[number % (FAULTS.length + 1)] ?? null;
  }

  it('never returns a part of a body', async (scope) => {
    const proxy = await TcpProxy.start(awsUrl);
    scope.onTestFinished(() => proxy.stop());
    const store = await openTestStore(proxy.url, { bucket, prefix: uniqueName('journal') });
    const body = 'x'.repeat(1_000_000);
    await store.create('n/1', body);
    proxy.answersToCut = 1;
    await expect(store.read('n/1')).rejects.toThrow(Unreachable);
    expect(await certainStore(store, systemClock).read('n/1')).toBe(body);
  });

  it('waits only a limited time for an answer', async (scope) => {
    const { proxy, store } = await open(scope);
    proxy.fail({ action: 'ListObjectsV2', times: 1, with: { delayMs: 30_000 } });
    await expect(store.list('n')).rejects.toThrow(
      /the journal cannot be read: s3:ListBucket on .* timed out after 4000 ms/,
    );
  });
});

describe.skipIf(awsUrl === '')('the fleet lock in a bucket', { timeout: 120_000 }, () => {
  it('is taken over after a whole lease, and its first holder notices that', async (scope) => {
    const lease = new VirtualLease();
    const { store, proxy } = await open(scope);
    const paused = await lease.acquire(store, 'a');
    await paused.renew();
    const other = await lease.acquire(store, 'b');
    expect(other.epoch).toBe(2);
    expect(lease.nowMs).toBeGreaterThanOrEqual(LEASE_MS);
    expect(() => paused.requireHeld()).toThrow(Superseded);
    await paused.renew();
    await paused.release();
    await other.renew();
    expect(other.lost.aborted).toBe(false);
    expect(await currentHolder(store)).toMatchObject({ epoch: 2, holder: { purpose: 'b' } });
    expect(proxy.callsOf('PutObject').every(({ status }) => status === 200)).toBe(true);
  });

  it.for(['conflict', 'lost answer', 'lost call', 'throttled'] as const)(
    'belongs to its writer, whatever became of the answer: %s',
    async (fault, scope) => {
      const lease = new VirtualLease();
      const { store, proxy } = await open(scope);
      proxy.fail({ action: 'PutObject', times: 1, with: fault });
      expect((await lease.acquire(store, 'a')).epoch).toBe(1);
      expect(await currentHolder(store)).toMatchObject({ epoch: 1, holder: { purpose: 'a' } });
    },
  );

  it('survives failing calls for less than a lease, and no longer', async (scope) => {
    const lease = new VirtualLease();
    const { store, proxy } = await open(scope);
    const held = await lease.acquire(store, 'a');
    proxy.fail({ action: 'PutObject', with: 'unavailable' });
    lease.nowMs += LEASE_MS - 1;
    await held.renew();
    expect(held.lost.aborted).toBe(false);
    lease.nowMs += 2;
    await held.renew();
    expect(String(held.lost.reason)).toMatch(
      /could not be renewed for a whole lease: .*s3:PutObject on .*locks\/000000000001\.json: ServiceUnavailable/,
    );
  });

  it('is renewed by one read, one write and one list, however many locks came before', async (scope) => {
    const lease = new VirtualLease();
    const { store, proxy } = await open(scope);
    for (let i = 0; i < 5; i += 1) await (await lease.acquire(store, 'before')).release();
    const held = await lease.acquire(store, 'a');
    const before = proxy.calls.length;
    await held.renew();
    expect(proxy.calls.slice(before).map(({ action }) => action)).toEqual([
      'GetObject',
      'PutObject',
      'ListObjectsV2',
    ]);
  });
});

describe.skipIf(awsUrl === '')('a run’s journal in a bucket', { timeout: 120_000 }, () => {
  const FOLDER = 'runs/test';

  function openJournal(store: JournalStore, epoch: number): Promise<RunJournal> {
    return RunJournal.open({
      store: certainStore(store, systemClock),
      runFolder: FOLDER,
      epoch,
      requireHeld: () => {},
      now: () => new Date(0),
    });
  }

  it.for(['conflict', 'lost answer', 'lost call', 'internal error'] as const)(
    'goes on when the answer to its own write is spoiled: %s',
    async (fault, scope) => {
      const { store, proxy } = await open(scope);
      const journal = await openJournal(store, 1);
      proxy.fail({ action: 'PutObject', times: 2, with: fault });
      await journal.append([{ type: 'desired_set', count: 3 }]);
      await journal.append([{ type: 'desired_set', count: 4 }]);
      expect((await readRun(store, FOLDER)).state.desired).toBe(4);
      expect(await store.list(`${FOLDER}/segments`)).toHaveLength(2);
    },
  );

  it('lets only one of two processes continue writing', async (scope) => {
    const { store, proxy } = await open(scope);
    const paused = await openJournal(store, 1);
    await paused.append([{ type: 'desired_set', count: 1 }]);
    const other = await openJournal(store, 2);
    await other.append([{ type: 'desired_set', count: 2 }]);
    proxy.fail({ action: 'PutObject', times: 1, with: 'conflict' });
    await expect(paused.append([{ type: 'desired_set', count: 9 }])).rejects.toThrow(Superseded);
    await expect(paused.append([{ type: 'desired_set', count: 9 }])).rejects.toThrow(Superseded);
    expect((await readRun(store, FOLDER)).state.desired).toBe(2);
  });

  it('is unusable after a write that always failed, because its effect is unknown', async (scope) => {
    const { store, proxy } = await open(scope);
    const journal = await openJournal(store, 1);
    proxy.fail({ action: 'PutObject', times: 3, with: 'lost answer' });
    proxy.fail({ action: 'GetObject', times: 3, with: 'internal error' });
    await expect(journal.append([{ type: 'desired_set', count: 1 }])).rejects.toThrow(Unreachable);
    proxy.mend();
    await expect(journal.append([{ type: 'desired_set', count: 2 }])).rejects.toThrow(Unreachable);
    expect((await openJournal(store, 2)).state.desired).toBe(1);
  });

  it('is opened in few calls, however long it is', async (scope) => {
    const { store, proxy } = await open(scope);
    const journal = await openJournal(store, 1);
    for (let count = 1; count <= 70; count += 1) await journal.append([{ type: 'desired_set', count }]);
    const before = proxy.calls.length;
    expect((await readRun(store, FOLDER)).state.desired).toBe(70);
    const actions = proxy.calls.slice(before).map(({ action }) => action);
    expect(actions.filter((action) => action === 'ListObjectsV2')).toHaveLength(1);
    expect(actions.filter((action) => action === 'GetObject')).toHaveLength(70);
  });
});
