import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../orchestrator/clock.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { claimHistory, runFolder, writeClaim } from '../../orchestrator/journal/claims.ts';
import type { Holder } from '../../orchestrator/journal/holder.ts';
import { FleetLock } from '../../orchestrator/journal/lock.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { FleetPin } from '../../orchestrator/reconcile/fleet-pin.ts';
import { sweep, type Swept } from '../../orchestrator/run/sweep.ts';
import { IDENTITY } from '../support/virtual-world.ts';
import { SILENT_REPORTER } from '../support/silent-reporter.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { ScriptedFleet, view } from '../support/scripted-fleet.ts';
import { claimedAliases, promotion, runResult } from '../support/run-values.ts';

const LEASE_MS = 15_000;
const GRACE_MS = 1_800_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);

const NO_RUN = { newest: null, run: null, unfinished: null };

let nowMs = 0;
/** What happens beside the sweeper while it waits. */
let meanwhile: () => Promise<void> = async () => {};
let memory: MemoryStore;
let fleet: ScriptedFleet;
/** For which runs it was opened. */
let opened: (FleetPin | null)[] = [];
const clock: Clock = {
  now: () => new Date(START_MS + nowMs),
  monotonicMs: () => nowMs,
  sleep: async (ms, signal) => {
    signal.throwIfAborted();
    // Between two renewals of the sweeper's own lock, which time never comes to.
    if (ms === LEASE_MS / 3) return new Promise((_, stop) => signal.addEventListener('abort', () => stop()));
    nowMs += ms;
    return meanwhile();
  },
};

beforeEach(() => {
  nowMs = 0;
  meanwhile = async () => {};
  memory = new MemoryStore();
  opened = [];
  fleet = new ScriptedFleet([view(2, 'i-1', 'i-2')]);
});

describe('a sweep of the fleet', () => {
  it('ends at once the instances that no run holds', async () => {
    const swept = await sweepNow();
    expect(swept).toMatchObject({ drivenBy: null, standing: NO_RUN, graceUntil: null });
    expect(swept.found.map(({ id }) => id)).toEqual(['i-1', 'i-2']);
    expect(fleet.calls).toEqual(['desired 0', 'terminate i-1', 'terminate i-2']);
  });

  it('trusts a look that shows zero, so that a run need not wait for it', async () => {
    fleet = new ScriptedFleet([view(0)]);
    expect((await sweepNow()).found).toEqual([]);
    expect(fleet.calls).toEqual([]);
    expect(nowMs).toBe(0);
  });

  it('ends what a finished run left behind, even if its claim was not released', async () => {
    await claim('done', [{ type: 'finished', at: now(), result: runResult() }]);
    expect((await sweepNow()).standing).toMatchObject({ newest: { runKey: 'done' }, unfinished: null });
    expect(fleet.calls).toContain('terminate i-1');
  });

  it('brings the pinned fleet of an unfinished run to zero, whatever the settings name now', async () => {
    await sweepNow();
    const pin = { kind: 'auto-scaling', data: { region: 'eu-central-1', group: 'books' } };
    await claim('k', [{ type: 'fleet_pinned', pin }]);
    nowMs += GRACE_MS;
    await sweepNow();
    expect(opened).toEqual([null, pin]);
  });

  it('sweeps the fleet of the settings when the unfinished run had local workers, which ended with their process', async () => {
    await claim('k', [{ type: 'fleet_pinned', pin: { kind: 'local', data: {} } }]);
    nowMs += GRACE_MS;
    expect((await sweepNow()).found.map(({ id }) => id)).toEqual(['i-1', 'i-2']);
    expect(opened).toEqual([null]);
  });

  it('leaves a run alone whose holder renews its lock, without waiting for a whole lease', async () => {
    await claim('k');
    const held = await lockOf('run');
    nowMs += 10 * GRACE_MS;
    await held.renew();
    let renewedMs = nowMs;
    meanwhile = async () => {
      if (nowMs - renewedMs < LEASE_MS / 3) return;
      renewedMs = nowMs;
      await held.renew();
    };
    const beganMs = nowMs;
    const swept = await sweepNow();
    expect(swept).toMatchObject({
      drivenBy: { purpose: 'run' },
      standing: { unfinished: { runKey: 'k' } },
      found: [],
    });
    expect(nowMs - beganMs).toBeLessThan(LEASE_MS / 2);
    expect(fleet.calls).toEqual([]);
    expect(held.lost.aborted).toBe(false);
  });

  it('waits a whole lease for a holder that stopped renewing, and ends its fleet after the grace', async () => {
    await claim('k');
    await lockOf('run');
    nowMs += GRACE_MS;
    const beganMs = nowMs;
    expect((await sweepNow()).found).toHaveLength(2);
    expect(nowMs - beganMs).toBeGreaterThanOrEqual(LEASE_MS);
  });

  it('does not take a dead holder for alive because its own first look was slow', async () => {
    await claim('k');
    await lockOf('run');
    nowMs += GRACE_MS;
    const list = memory.list.bind(memory);
    vi.spyOn(memory, 'list').mockImplementationOnce((folder, part) => {
      nowMs += LEASE_MS / 2;
      return list(folder, part);
    });
    expect(await sweepNow()).toMatchObject({ drivenBy: null, found: [{ id: 'i-1' }, { id: 'i-2' }] });
  });

  it('leaves a claimed fleet alone until the grace after the journal’s last write is over, and never removes the claim', async () => {
    const journal = await claim('k');
    nowMs += GRACE_MS - 1_000;
    await journal.append([{ type: 'pass_resumed' }]);
    nowMs += GRACE_MS - 1_000;
    const early = await sweepNow();
    expect(early.graceUntil?.getTime()).toBe(START_MS + 2 * GRACE_MS - 1_000);
    expect(early.found.map(({ id }) => id)).toEqual(['i-1', 'i-2']);
    expect(fleet.calls).toEqual([]);
    nowMs += 1_000;
    expect((await sweepNow()).graceUntil).toBeNull();
    expect(fleet.calls).toContain('terminate i-2');
    expect(await claimHistory(memory)).toMatchObject([{ runKey: 'k', held: true }]);
  });

  it('counts the grace from the last renewal of the run’s lock too, and not from another sweep', async () => {
    await claim('k');
    const held = await lockOf('run');
    nowMs += 3 * GRACE_MS;
    await held.renew();
    await held.release();
    nowMs += GRACE_MS - 1_000;
    expect((await sweepNow()).graceUntil).not.toBeNull();
    nowMs += 1_000;
    expect((await sweepNow()).graceUntil).toBeNull();
  });
});

describe('a sweep of the journal', () => {
  const PROMOTED: RunEvent = { type: 'promoted', index: 'cities-1', record: promotion('cities-1') };

  beforeEach(() => {
    fleet = new ScriptedFleet([view(0)]);
  });

  it('deletes runs that ended long ago, and keeps the newest run and what a rollback needs', async () => {
    await runToEnd('first', [PROMOTED]);
    await runToEnd('failed', []);
    await runToEnd('second', [PROMOTED]);
    await runToEnd('last', []);
    nowMs += 89 * DAY_MS;
    expect((await sweepNow()).cleaned.runs).toEqual([]);
    nowMs += DAY_MS + 1_000;
    expect((await sweepNow()).cleaned.runs).toEqual(['failed', 'first']);
    expect((await claimHistory(memory)).map(({ runKey }) => runKey)).toEqual(['last', 'second']);
    expect(await segmentsOf('first')).toEqual([]);
    expect((await segmentsOf('second')).length).toBeGreaterThan(0);
    expect((await sweepNow()).cleaned.runs).toEqual([]);
  });

  it('keeps the promotion that a rollback returned to', async () => {
    await runToEnd('first', [PROMOTED]);
    const second = await runToEnd('second', [PROMOTED]);
    await runToEnd('last', []);
    await second.append([{ type: 'rolled_back', at: now(), targets: [] }]);
    nowMs += 91 * DAY_MS;
    expect((await sweepNow()).cleaned.runs).toEqual(['second']);
  });

  it('deletes nothing of a claimed run, however old', async () => {
    await claim('k');
    nowMs += 1_000 * DAY_MS;
    const { cleaned, graceUntil } = await sweepNow();
    expect([cleaned.runs, graceUntil]).toEqual([[], null]);
    expect((await segmentsOf('k')).length).toBeGreaterThan(0);
  });

  it('completes a deletion that was interrupted', async () => {
    await runToEnd('old', []);
    await runToEnd('last', []);
    nowMs += 91 * DAY_MS;
    const lost = new Error('cut off');
    const remove = memory.remove.bind(memory);
    memory.remove = async (name) => {
      await remove(name);
      if (name.startsWith('runs/')) throw lost;
    };
    await expect(sweepNow()).rejects.toBe(lost);
    memory.remove = remove;
    expect((await sweepNow()).cleaned.runs).toEqual(['old']);
    expect(await segmentsOf('old')).toEqual([]);
  });

  it('reads only the oldest and the newest of many claims while none is too old', async () => {
    for (let i = 0; i < 20; i += 1) await runToEnd(`run ${i}`, []);
    const read = vi.spyOn(memory, 'read');
    await sweepNow();
    expect(read.mock.calls.flat().filter((name) => name.startsWith('claims/'))).toEqual([
      'claims/000000000040.json',
      'claims/000000000001.json',
    ]);
  });

  it('keeps the folder of locks small at a constant cost, however long it runs every 15 minutes', async () => {
    const list = vi.spyOn(memory, 'list');
    const read = vi.spyOn(memory, 'read');
    const callsOfOne = async (): Promise<number[]> => {
      list.mockClear();
      read.mockClear();
      await sweepNow();
      nowMs += 900_000;
      return [list.mock.calls.length, read.mock.calls.length];
    };
    const perDay = DAY_MS / 900_000;
    for (let i = 0; i < 3 * perDay; i += 1) await callsOfOne();
    const after = await callsOfOne();
    for (let i = 0; i < 7 * perDay; i += 1) expect(await callsOfOne()).toEqual(after);
    // Those of two days, the newest, and the one that is deleted next.
    expect((await memory.list('locks')).length).toBeLessThanOrEqual(2 * perDay + 2);
  });

  it('deletes locks after two days, and never the newest one', async () => {
    for (let i = 0; i < 5; i += 1) await (await lockOf('run')).release();
    nowMs += 2 * DAY_MS + 1_000;
    expect((await sweepNow()).cleaned.locks).toBe(5);
    expect(await memory.list('locks')).toEqual(['locks/000000000006.json']);
    expect((await lockOf('run')).epoch).toBe(7);
  });
});

function sweepNow(): Promise<Swept> {
  return sweep({
    lock: lockRequest('sweep'),
    openFleet: (pin) => {
      opened.push(pin);
      return Promise.resolve({ fleet, timing: { zeroQuietMs: 0 } });
    },
    graceMs: GRACE_MS,
    keepMs: 90 * DAY_MS,
    keepLocksMs: 2 * DAY_MS,
  });
}

function lockRequest(purpose: string) {
  const reporter = SILENT_REPORTER;
  const { signal } = new AbortController();
  const stateOfHolder = () => Promise.resolve('unknown' as const);
  const store = certainStore(memory, clock);
  return { store, leaseMs: LEASE_MS, holder: holder(purpose), stateOfHolder, clock, reporter, signal };
}

function lockOf(purpose: string): Promise<FleetLock> {
  const { store, stateOfHolder, signal } = lockRequest(purpose);
  const timing = { leaseMs: LEASE_MS, waitMs: 0, clock, signal };
  return FleetLock.acquire(store, holder(purpose), timing, { stateOfHolder, onWait: () => {} });
}

function holder(purpose: string): Holder {
  return { host: 'here', pid: 7, identity: null, since: now(), purpose };
}

function now(): string {
  return clock.now().toISOString();
}

function segmentsOf(runKey: string): Promise<string[]> {
  return memory.list(`${runFolder(runKey)}/segments`);
}

/** A run that holds the fleet, with the events of its journal. */
async function claim(runKey: string, events: readonly RunEvent[] = []): Promise<RunJournal> {
  await writeStanding(runKey, { held: true, ended: null });
  const journal = await RunJournal.open({
    store: certainStore(memory, clock),
    runFolder: runFolder(runKey),
    epoch: 1,
    requireHeld: () => {},
    now: () => clock.now(),
  });
  await journal.append([{ ...IDENTITY, runKey }]);
  await journal.append(events);
  return journal;
}

async function runToEnd(runKey: string, events: readonly RunEvent[]): Promise<RunJournal> {
  const journal = await claim(runKey, [...events, { type: 'finished', at: now(), result: runResult() }]);
  await writeStanding(runKey, { held: false, ended: 'finished' });
  return journal;
}

async function writeStanding(
  runKey: string,
  standing: { held: boolean; ended: 'finished' | null },
): Promise<void> {
  const claim = { runKey, run: `run-${runKey}`, aliases: claimedAliases('cities'), at: now() };
  expect(await writeClaim(memory, { ...claim, ...standing })).toBe(true);
}
