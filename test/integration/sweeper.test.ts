import { describe, expect, inject, it } from 'vitest';
import { currentClaim } from '../../orchestrator/journal/claims.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import type { ApiProxy } from '../aws/api-proxy.ts';
import { groupIdsOf, groupOf, isGroupAtZero, setDesired } from '../aws/group.ts';
import type { Invoked } from '../infra/sweeper-function.ts';
import {
  claimRun,
  FLEET,
  holdLock,
  LOST_TWO,
  OVER,
  setUpSweeper as setUp,
  takeLock,
  writeStanding,
} from '../infra/sweeper-world.ts';
import { IDENTITY } from '../support/virtual-world.ts';

/** The scheduled sweep as Lambda runs it: the very bundle, alone in a folder, in a process of its own. */

const DAY_MS = 86_400_000;
const AT_REST = ['swept', [], []];

describe.skipIf(inject('awsUrl') === null)('the scheduled sweep', { timeout: 120_000 }, () => {
  it('brings leftovers without a run to zero, and counts them in its metrics', async (scope) => {
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

  it('writes no metric at rest, may run again at once, and makes few calls however many runs there were', async (scope) => {
    const { invoke, proxy, store } = await setUp(scope);
    for (const daysAgo of [5, 4, 3, 2, 1]) {
      const at = new Date(Date.now() - daysAgo * DAY_MS);
      await writeStanding(store, { at, runKey: `${daysAgo}`, held: true, ended: null });
      await writeStanding(store, { at, runKey: `${daysAgo}`, ...OVER });
    }
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

  it('may run twice at the same time', { tags: 'long' }, async (scope) => {
    const { world, invoke } = await setUp(scope);
    await setDesired(world, 3);
    const both = await Promise.all([invoke(), invoke()]);
    for (const { invocations } of both) expect(invocations).toMatchObject([{ error: null, left: [] }]);
    expect(await isGroupAtZero(world)).toBe(true);
    const found = both.flatMap(({ log }) => metricsIn(log)).map((metrics) => metrics['InstancesWithoutRun']);
    expect(found).toEqual([3]);
  });

  it('leaves a live run alone without any change, and reports how it stands', async (scope) => {
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

  it('leaves an unfinished run alone within its grace, and still counts its instances in the metrics', async (scope) => {
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

  it('reports the last figures of a finished run for two intervals, and nothing afterwards', async (scope) => {
    const { world, invoke, store } = await setUp(scope);
    await claimRun(store, world, [...LOST_TWO]);
    const ten = 10 * 60_000;
    await writeStanding(store, { ...OVER, at: new Date(Date.now() - ten) });
    const figures = { InstancesWithoutRun: 0, DeadLetters: 0, WorkersLost: 2 };
    expect(metricsIn((await invoke()).log)).toEqual([figures]);
    expect(metricsIn((await invoke({ everyMinutes: 6 })).log)).toEqual([figures]);
    expect(metricsIn((await invoke({ everyMinutes: 4 })).log)).toEqual([]);
  });

  it('ends the fleet of an unfinished run after its grace, and keeps the claim', async (scope) => {
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

  it('waits one lease for an orchestrator that died with its lock', { tags: 'long' }, async (scope) => {
    const { world, invoke, store } = await setUp(scope, {}, 8_000);
    await setDesired(world, 1);
    const lock = await takeLock(store, 'reindex-fleet run');
    const { invocations, log } = await invoke();
    expect(invocations).toMatchObject([{ result: { status: 'swept' }, error: null, left: [] }]);
    expect(sentences(log)).toContain('waiting for the lock: reindex-fleet run, process ');
    expect(await isGroupAtZero(world)).toBe(true);
    await lock.release();
  });

  it('fails when AWS does not answer and releases the lock, so that the next one goes on', async (scope) => {
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

  it('releases the lock before its time is over, even when a call hangs', async (scope) => {
    const { invoke, proxy, store } = await setUp(scope);
    proxy.fail({ action: 'DescribeAutoScalingGroups', with: { delayMs: 9_000 } });
    const { invocations } = await invoke({ remainingMs: 12_000 });
    expect(invocations).toMatchObject([
      { error: { message: expect.stringContaining('the sweep is not done after 2 s, and the time limit') } },
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
