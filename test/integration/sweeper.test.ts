import { beforeAll, describe, expect, inject, it } from 'vitest';
import { bundleSweeper } from '../../infra/sweeper/bundle.ts';
import { SETTINGS_VARIABLE } from '../../infra/sweeper/sweeper-settings.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { currentClaim, runFolder, writeClaim } from '../../orchestrator/journal/claims.ts';
import { FleetLock, currentHolder } from '../../orchestrator/journal/lock.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import type { FleetPin, RunEvent } from '../../orchestrator/reconcile/events.ts';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { groupIdsOf, groupOf, isGroupAtZero, setDesired } from '../aws/group.ts';
import { openTestStore } from '../aws/test-bucket.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';
import { type Invoked, invokeSweeper, type InvokeOptions } from '../infra/sweeper-function.ts';
import type { TestScope } from '../support/run-setup.ts';
import { IDENTITY } from '../support/virtual-world.ts';

/** The scheduled sweep as Lambda runs it: the very bundle, alone in a folder, in a process of its own. */

const FLEET = 'books';
const GRACE_MS = 600_000;
const AT_REST = ['swept', [], []];

let code = '';
beforeAll(async () => {
  code = await bundleSweeper();
});

describe.skipIf(inject('awsUrl') === null)('the scheduled sweep', { timeout: 120_000 }, () => {
  it('brings to zero what was left behind without a run, and says in its metrics how many', async (scope) => {
    const { world, invoke } = await setUp(scope);
    await setDesired(world, 2);
    const ids = await groupIdsOf(world);
    const { invocations, log } = await invoke();
    expect(invocations).toMatchObject([
      { result: { status: 'swept', held_by: null }, error: null, left: [] },
    ]);
    expect([...(invocations[0]?.result?.ended ?? [])].sort()).toEqual([...ids].sort());
    expect(metricsIn(log)).toEqual([{ InstancesWithoutRun: 2, DeadLetters: 0, WorkersLost: 0 }]);
    expect(log.find(({ _aws }) => _aws !== undefined)).toMatchObject({ Fleet: FLEET });
    expect(await isGroupAtZero(world)).toBe(true);
    expect(sentences(log)).toContain('the fleet is at zero');
  });

  it('writes no metric at rest, may be invoked again at once, and makes few calls however many runs there were', async (scope) => {
    const { invoke, proxy, store } = await setUp(scope);
    for (const daysAgo of [5, 4, 3, 2, 1]) await finishedRun(store, daysAgo);
    const { invocations, log } = await invoke({ times: 2 });
    expect(invocations.map(outline)).toEqual([AT_REST, AT_REST]);
    for (const { left } of invocations) expect(left).toEqual([]);
    expect(metricsIn(log)).toEqual([]);
    expect(await currentHolder(store)).toBeNull();
    expect(callsOfOne(proxy, 2)).toEqual({
      DescribeAutoScalingGroups: 1,
      DescribeInstances: 1,
      GetCallerIdentity: 1,
      ListObjectsV2: 5,
      GetObject: 4,
      PutObject: 2,
    });
  });

  it('may be invoked twice at the same time', async (scope) => {
    const { world, invoke } = await setUp(scope);
    await setDesired(world, 3);
    const both = await Promise.all([invoke(), invoke()]);
    for (const { invocations } of both) expect(invocations).toMatchObject([{ error: null, left: [] }]);
    expect(await isGroupAtZero(world)).toBe(true);
    const found = both.flatMap(({ log }) => metricsIn(log)).map((metrics) => metrics['InstancesWithoutRun']);
    expect(found).toEqual([3]);
  });

  it('leaves a live run alone: it touches nothing, and says how its run stands', async (scope) => {
    const { world, invoke, proxy, store } = await setUp(scope);
    await setDesired(world, 2);
    await claimRun(store, world, [...LOST_TWO]);
    await holdLock(scope, store, 'reindex-fleet run');
    const { invocations, log } = await invoke();
    expect(invocations).toMatchObject([
      {
        result: {
          status: 'nothing to sweep',
          held_by: IDENTITY.runKey,
          process: { purpose: 'reindex-fleet run' },
        },
        error: null,
        left: [],
      },
    ]);
    expect(metricsIn(log)).toEqual([{ InstancesWithoutRun: 0, DeadLetters: 0, WorkersLost: 2 }]);
    expect((await groupOf(world)).DesiredCapacity).toBe(2);
    expect(proxy.calls.filter(({ action }) => !/^(Describe|Get|List)/.test(action))).toEqual([]);
  });

  it('leaves an unfinished run alone within its grace, though its metrics count the instances', async (scope) => {
    const { world, invoke, store } = await setUp(scope);
    await setDesired(world, 2);
    await claimRun(store, world);
    const { invocations, log } = await invoke();
    expect(invocations).toMatchObject([
      { result: { status: 'left alone', held_by: IDENTITY.runKey, ended: [] }, error: null, left: [] },
    ]);
    expect(metricsIn(log)).toEqual([{ InstancesWithoutRun: 2, DeadLetters: 0, WorkersLost: 0 }]);
    expect((await groupOf(world)).DesiredCapacity).toBe(2);
    expect(await groupIdsOf(world)).toHaveLength(2);
  });

  it('ends an unfinished run’s fleet after its grace, and keeps the claim', async (scope) => {
    const { world, invoke, store } = await setUp(scope, { sweep_grace_ms: 1 });
    await setDesired(world, 2);
    await claimRun(store, world);
    const { invocations } = await invoke();
    expect(invocations).toMatchObject([
      { result: { status: 'swept', held_by: IDENTITY.runKey }, error: null },
    ]);
    expect(await isGroupAtZero(world)).toBe(true);
    expect(await currentClaim(store)).toMatchObject({ held: true });
  });

  it('outlasts an orchestrator that died with its lock, by a lease', async (scope) => {
    const { world, invoke, store } = await setUp(scope, {}, 3_000);
    await setDesired(world, 1);
    const lock = await takeLock(store, 'reindex-fleet run');
    const { invocations, log } = await invoke();
    expect(invocations).toMatchObject([{ result: { status: 'swept' }, error: null, left: [] }]);
    expect(sentences(log)).toContain('waiting for the lock: reindex-fleet run, process ');
    expect(await isGroupAtZero(world)).toBe(true);
    await lock.release();
  });

  it('fails where AWS does not answer, gives the lock back, and the next one goes on', async (scope) => {
    const { world, invoke, proxy, store } = await setUp(scope);
    await setDesired(world, 2);
    proxy.fail({ action: 'DescribeInstances', with: 'unavailable' });
    const { invocations, log } = await invoke();
    expect(invocations).toMatchObject([
      {
        result: null,
        error: {
          name: 'RunFailed',
          message: expect.stringContaining(`ec2:DescribeInstances on instances of the group ${world.group}`),
        },
        left: [],
      },
    ]);
    expect(metricsIn(log)).toEqual([]);
    expect(log.at(-1)).toMatchObject({ level: 50, msg: invocations[0]?.error?.message });
    expect(await currentHolder(store)).toBeNull();
    proxy.mend();
    expect((await invoke()).invocations).toMatchObject([{ result: { status: 'swept' } }]);
    expect(await isGroupAtZero(world)).toBe(true);
  });

  it('gives the lock back before its time is over, also when a call hangs', async (scope) => {
    const { invoke, proxy, store } = await setUp(scope);
    proxy.fail({ action: 'DescribeAutoScalingGroups', with: { delayMs: 9_000 } });
    const { invocations } = await invoke({ remainingMs: 12_000 });
    expect(invocations).toMatchObject([
      { error: { message: expect.stringContaining('the sweep is not done after 2 s, when the time limit') } },
    ]);
    expect(await currentHolder(store)).toBeNull();
    expect(proxy.callsOf('SetDesiredCapacity')).toEqual([]);
  });

  it('fails with the faults of its settings, and makes no call', async (scope) => {
    const { invoke, proxy } = await setUp(scope, { region: 'Frankfurt' });
    const { invocations } = await invoke();
    expect(invocations).toMatchObject([
      {
        error: {
          name: 'Faults',
          message: expect.stringMatching(/^REINDEX_FLEET_SETTINGS:1:\d+ aws\.region: /),
        },
      },
    ]);
    expect(proxy.calls).toEqual([]);
  });
});

interface Sweeper {
  readonly world: AwsWorld;
  /** Between the function and AWS. */
  readonly proxy: ApiProxy;
  /** The fleet's journal, looked at past the proxy. */
  readonly store: JournalStore;
  readonly invoke: (options?: Pick<InvokeOptions, 'times' | 'remainingMs'>) => Promise<Invoked>;
}

async function setUp(
  scope: TestScope,
  aws: Readonly<Record<string, unknown>> = {},
  leaseMs = 15_000,
): Promise<Sweeper> {
  const world = await makeWorld(scope, { maximum: 4, fleet: FLEET });
  const proxy = await startApiProxy(scope, world.awsUrl);
  const settings = {
    fleet: FLEET,
    definitions: 'not/there.yaml',
    source: { url: 'postgres://nobody@127.0.0.1:1/none' },
    target: { url: 'http://127.0.0.1:1' },
    journal: { lease_ms: leaseMs },
    aws: {
      region: world.region,
      group: world.group,
      token_parameter: world.tokenParameter,
      journal_bucket: world.bucket,
      zero_quiet_ms: 500,
      sweep_grace_ms: GRACE_MS,
      ...aws,
    },
  };
  const environment = { ...awsEnvironment(proxy.url), [SETTINGS_VARIABLE]: JSON.stringify(settings) };
  const place = { bucket: world.bucket, prefix: `reindex-fleet/${FLEET}` };
  const store = certainStore(await openTestStore(world.awsUrl, place), systemClock);
  return {
    world,
    proxy,
    store,
    invoke: (options) => invokeSweeper(scope, { code, environment, ...options }),
  };
}

/** The claims of a run that is over; a sweep at rest does not look for its journal. */
async function finishedRun(store: JournalStore, daysAgo: number): Promise<void> {
  const at = new Date(Date.now() - daysAgo * 86_400_000).toISOString();
  const claim = {
    runKey: at,
    run: at,
    alias: IDENTITY.alias,
    definitionDigest: IDENTITY.definitionDigest,
    at,
  };
  expect(await writeClaim(store, { ...claim, held: true, ended: null })).toBe(true);
  expect(await writeClaim(store, { ...claim, held: false, ended: 'finished' })).toBe(true);
}

/** Two workers of the run that it has not let go. */
const LOST_TWO: readonly RunEvent[] = [
  { type: 'instance_launched', instance: 'i-spot', at: IDENTITY.startedAt },
  { type: 'instance_ended', instance: 'i-spot', at: IDENTITY.startedAt, seen: true },
  { type: 'terminating', instance: 'i-mute', decrement: false, replaced: true, reason: 'never ready' },
];

/** A run that holds the fleet and that no process drives. */
async function claimRun(
  store: JournalStore,
  world: AwsWorld,
  events: readonly RunEvent[] = [],
): Promise<void> {
  const { runKey, run, alias, definitionDigest } = IDENTITY;
  const at = new Date().toISOString();
  expect(await writeClaim(store, { runKey, run, alias, definitionDigest, at, held: true, ended: null })).toBe(
    true,
  );
  const journal = await RunJournal.open({
    store,
    runFolder: runFolder(runKey),
    epoch: 1,
    requireHeld: () => {},
    now: () => new Date(),
  });
  const pin: FleetPin = {
    region: world.region,
    group: world.group,
    template: { id: world.templateId, version: '1' },
    image: world.imageId,
    parameter: null,
  };
  await journal.append([IDENTITY, { type: 'fleet_pinned', pin }, ...events]);
}

async function takeLock(store: JournalStore, purpose: string): Promise<FleetLock> {
  const holder = { host: 'elsewhere', pid: 7, identity: null, since: new Date().toISOString(), purpose };
  const { signal } = new AbortController();
  const timing = { leaseMs: 15_000, waitMs: 0, clock: systemClock, signal };
  return FleetLock.acquire(
    store,
    holder,
    timing,
    () => Promise.resolve('unknown'),
    () => {},
  );
}

/** As a process does that lives. */
async function holdLock(scope: TestScope, store: JournalStore, purpose: string): Promise<void> {
  const lock = await takeLock(store, purpose);
  lock.startRenewing();
  scope.onTestFinished(() => lock.release());
}

function outline({ result }: Invoked['invocations'][number]): unknown[] {
  return [result?.status, result?.found, result?.ended];
}

/** By metric, of each line that CloudWatch would make metrics of. */
function metricsIn(log: Invoked['log']): Record<string, unknown>[] {
  return log
    .filter(({ _aws }) => _aws !== undefined)
    .map(({ _aws: _directive, Fleet: _fleet, ...metrics }) => metrics);
}

function sentences(log: Invoked['log']): string {
  return log.map(({ msg }) => msg).join('\n');
}

/** Calls by action of the last of so many sweeps; the first has found no lock. */
function callsOfOne({ calls }: ApiProxy, sweeps: number): Record<string, number> {
  const begin = calls.findLastIndex(({ action }) => action === 'GetCallerIdentity');
  expect(calls.filter(({ action }) => action === 'GetCallerIdentity')).toHaveLength(sweeps);
  const counts: Record<string, number> = {};
  for (const { action } of calls.slice(begin)) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
