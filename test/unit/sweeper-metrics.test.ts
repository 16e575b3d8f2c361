import { describe, expect, it } from 'vitest';
import { embeddedMetrics } from '../../infra/sweeper/embedded-metrics.ts';
import { measureSweep, recentRun } from '../../infra/sweeper/measure.ts';
import { FLEET_DIMENSION, METRICS_NAMESPACE, SWEEP_METRICS } from '../../infra/sweeper/metrics.ts';
import { type Claim, runFolder } from '../../orchestrator/journal/claims.ts';
import type { Holder } from '../../orchestrator/journal/holder.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import { NO_COUNTS, noTargetCounts } from '../../orchestrator/reconcile/counts.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyState, type RunState } from '../../orchestrator/reconcile/state.ts';
import { readStanding } from '../../orchestrator/run/choose-run.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { view } from '../support/scripted-fleet.ts';
import { IDENTITY } from '../support/virtual-world.ts';
import { claimedAliases, mainPass, reReadingPass, runResult } from '../support/run-values.ts';

const HALF_AN_HOUR_MS = 1_800_000;
const AT = '2026-01-01T00:00:00.000Z';
const HOLDER: Holder = { host: 'here', pid: 7, identity: null, since: AT, purpose: 'run' };
const { instances: found } = view(2, 'i-1', 'i-2');

describe('the metrics of a sweep', () => {
  it('are absent at rest, so that no metric costs anything', () => {
    expect(measureSweep({ drivenBy: null, found: [] }, null)).toBeNull();
    expect(measureSweep({ drivenBy: HOLDER, found: [] }, null)).toBeNull();
  });

  it('count instances that are there without a process that drives them', () => {
    expect(measureSweep({ drivenBy: null, found }, null)).toEqual({
      instancesWithoutRun: 2,
      deadLetters: 0,
      workersLost: 0,
    });
  });

  it('are all zero for a run that goes on well', () => {
    expect(measureSweep({ drivenBy: HOLDER, found: [] }, emptyState())).toEqual({
      instancesWithoutRun: 0,
      deadLetters: 0,
      workersLost: 0,
    });
  });

  it('count the dead letters of all passes of the run', () => {
    const run = applyEvents(emptyState(), [
      IDENTITY,
      plan('0001', '0002'),
      { type: 'pass_opened', pass: mainPass() },
      ...settled('p1-0001', 3),
      ...settled('p1-0002', 4),
      { type: 'pass_opened', pass: reReadingPass(2, ['0002']) },
      ...settled('p2-0002', 5),
    ]);
    expect(measureSweep({ drivenBy: HOLDER, found: [] }, run)).toMatchObject({ deadLetters: 12 });
  });

  it('count once each worker that was replaced or ended without a request', () => {
    const run = applyEvents(emptyState(), [
      ...['i-let-go', 'i-replaced', 'i-spot', 'i-vanished', 'i-at-work', 'i-zeroed'].map(launched),
      terminating('i-let-go', { decrement: true, replaced: false }),
      terminating('i-replaced', { decrement: false, replaced: true }),
      terminating('i-zeroed', { decrement: false, replaced: false }),
      terminating('i-never-seen', { decrement: false, replaced: true }),
      ...['i-let-go', 'i-replaced', 'i-spot', 'i-zeroed'].map((id) => ended(id, true)),
      ended('i-vanished', false),
    ]);
    expect(measureSweep({ drivenBy: HOLDER, found: [] }, run)).toMatchObject({ workersLost: 4 });
  });
});

describe('the run that the metrics describe', () => {
  it('is null for a fleet that has had no run', async () => {
    expect(await recent(new MemoryStore(), AT)).toBeNull();
  });

  it('is the unfinished run, however old', async () => {
    const store = await journalOf([{ type: 'desired_set', count: 7 }], { held: true, ended: null });
    expect(await recent(store, '2026-03-01T00:00:00.000Z')).toMatchObject({ desired: 7 });
  });

  it('is a finished run for as long as it is recent', async () => {
    const store = await journalOf([FINISHED], { held: false, ended: 'finished' });
    expect(await recent(store, '2026-01-01T00:30:00.000Z')).toMatchObject({ result: runResult() });
    expect(await recent(store, '2026-01-01T00:30:00.001Z')).toBeNull();
  });

  it('may be a finished run whose claim was not released', async () => {
    const store = await journalOf([FINISHED], { held: true, ended: null }, '2026-01-01T08:00:00.000Z');
    expect(await recent(store, '2026-01-01T08:30:00.000Z')).toMatchObject({ result: runResult() });
    expect(await recent(store, '2026-01-01T08:30:00.001Z')).toBeNull();
  });

  it('is not read from its journal at rest', async () => {
    const store = await journalOf([FINISHED], { held: false, ended: 'finished' });
    for (const name of store.objects.keys())
      if (name.startsWith('runs/')) store.objects.set(name, 'no journal');
    expect(await recent(store, '2026-01-02T00:00:00.000Z')).toBeNull();
  });
});

it('a line of embedded metrics follows CloudWatch’s specification', () => {
  const measures = { instancesWithoutRun: 2, deadLetters: 12, workersLost: 4 };
  const line = embeddedMetrics('books', measures, new Date(AT));
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    _aws: {
      Timestamp: Date.parse(AT),
      CloudWatchMetrics: [
        {
          Namespace: 'ReindexFleet',
          Dimensions: [['Fleet']],
          Metrics: [
            { Name: 'InstancesWithoutRun', Unit: 'Count' },
            { Name: 'DeadLetters', Unit: 'Count' },
            { Name: 'WorkersLost', Unit: 'Count' },
          ],
        },
      ],
    },
    Fleet: 'books',
    InstancesWithoutRun: 2,
    DeadLetters: 12,
    WorkersLost: 4,
  });
  // What alarms and dashboard import is what is written.
  expect(Object.keys(JSON.parse(line))).toEqual(['_aws', FLEET_DIMENSION, ...Object.values(SWEEP_METRICS)]);
  expect(METRICS_NAMESPACE).toBe('ReindexFleet');
});

const FINISHED: RunEvent = { type: 'finished', at: AT, result: runResult() };

async function recent(store: MemoryStore, now: string): Promise<RunState | null> {
  return recentRun(store, await readStanding(store), new Date(Date.parse(now) - HALF_AN_HOUR_MS));
}

/** A store with one run that was claimed, or whose claim ended, at `AT`; its journal was last written at `writtenAt`. */
async function journalOf(
  events: readonly RunEvent[],
  standing: Pick<Claim, 'held' | 'ended'>,
  writtenAt = AT,
): Promise<MemoryStore> {
  const store = new MemoryStore();
  const { runKey, run } = IDENTITY;
  const aliases = claimedAliases('cities');
  const folder = runFolder(runKey);
  const claim: Claim = { schema: 3, nonce: 'n', runKey, run, folder, aliases, at: AT, ...standing };
  await store.create('claims/000000000001.json', JSON.stringify(claim));
  const now = (): Date => new Date(writtenAt);
  const journal = await RunJournal.open({ store, runFolder: folder, epoch: 1, requireHeld: () => {}, now });
  await journal.append([IDENTITY, ...events]);
  return store;
}

function plan(...numbers: string[]): RunEvent {
  const ranges = numbers.map((number) => ({ number, start: null, end: null, rows: 1, bytes: 1 }));
  return { type: 'planned', keyKind: 'integer', ranges, bounds: null };
}

function settled(range: string, deadLetters: number): RunEvent[] {
  const [instance, task] = ['i-1', `task of ${range}`];
  return [
    { type: 'assigned', range, attempt: 1, instance, task },
    {
      type: 'settled',
      range,
      task,
      through: null,
      counts: {
        ...NO_COUNTS,
        rowsRead: deadLetters,
        targets: [{ ...noTargetCounts('target'), deadLetters }],
      },
      outcome: 'done',
      charged: false,
      reason: null,
    },
  ];
}

function launched(instance: string): RunEvent {
  return { type: 'instance_launched', instance, at: AT };
}

function terminating(
  instance: string,
  how: { readonly decrement: boolean; readonly replaced: boolean },
): RunEvent {
  return { type: 'terminating', instance, reason: 'a reason', ...how };
}

function ended(instance: string, seen: boolean): RunEvent {
  return { type: 'instance_ended', instance, at: AT, seen };
}
