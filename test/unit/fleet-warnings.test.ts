import { describe, expect, it } from 'vitest';
import { emptyMemory, type InstanceMemory, type Memory } from '../../orchestrator/reconcile/memory.ts';
import { FleetWarnings } from '../../orchestrator/report/fleet-warnings.ts';
import { type Observation, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyState } from '../../orchestrator/reconcile/state.ts';
import { evenRanges, NO_CAPACITY, VirtualWorld } from '../support/virtual-world.ts';

const QUIET: Observation = {
  at: '2026-01-01T00:00:00Z',
  desired: 2,
  instances: [],
  exact: false,
  launchFault: null,
  launchFailures: [],
  workers: new Map(),
  refusals: [],
  untold: new Set(),
};
const UNSEEN = emptyMemory();
const WANTED = applyEvents(emptyState(), [{ type: 'desired_set', count: 2 }]);

describe('the warnings about a fleet', () => {
  it('tell each event once, and nothing that happened before they began', () => {
    const before = applyEvents(emptyState(), [replaced('i-1', 'it has not been ready for 300 s')]);
    const warnings = new FleetWarnings(before);
    expect(warnings.next(before, UNSEEN, QUIET)).toEqual([]);

    const short = { ...QUIET, launchFailures: [NO_CAPACITY, NO_CAPACITY] };
    expect(warnings.next(before, UNSEEN, short)).toEqual([`a launch failed: ${NO_CAPACITY.reason}`]);
    expect(warnings.next(before, UNSEEN, short)).toEqual([]);

    const after = applyEvents(before, [
      replaced('i-2', 'it runs build b, this run is pinned to a'),
      { type: 'terminating', instance: 'i-3', decrement: true, replaced: false, reason: 'no work left' },
    ]);
    expect(warnings.next(after, UNSEEN, short)).toEqual([
      'worker i-2 is replaced: it runs build b, this run is pinned to a',
    ]);
    expect(warnings.next(after, UNSEEN, short)).toEqual([]);
  });

  it('announce the end of an instance without a replacement when nothing more is launched', () => {
    const warnings = new FleetWarnings(WANTED);
    const state = applyEvents(WANTED, [replaced('i-2', 'it was launched from the image ami-2')]);
    const moved = { ...QUIET, launchFault: 'the parameter has moved' };
    expect(warnings.next(state, UNSEEN, moved)).toEqual([
      'no more instances are launched: the parameter has moved',
      'worker i-2 is ended: it was launched from the image ami-2',
    ]);
    expect(warnings.next(state, UNSEEN, QUIET)).toEqual([]);
  });
});

describe('the warning about capacity that did not come', () => {
  const reason = `1 of 2 instances came within 600 s: ${NO_CAPACITY.reason}`;
  const limited = applyEvents(WANTED, [{ type: 'capacity_limited', workers: 1, reason }]);

  it('leaves out the words of the cloud once they have been told, even when they are no longer seen', () => {
    const warnings = new FleetWarnings(WANTED);
    expect(warnings.next(limited, UNSEEN, { ...QUIET, launchFailures: [NO_CAPACITY] })).toEqual([
      `a launch failed: ${NO_CAPACITY.reason}`,
      '1 of 2 instances came within 600 s; the run goes on with 1',
    ]);
    expect(warnings.next(limited, UNSEEN, QUIET)).toEqual([]);
  });

  it('includes the words of the cloud when they have not been told', () => {
    const warnings = new FleetWarnings(WANTED);
    expect(warnings.next(limited, UNSEEN, QUIET)).toEqual([`${reason}; the run goes on with 1`]);
  });
});

describe('the warning about an instance that ended by itself', () => {
  it('is told once, with the reason, the last output of its process, and what replaces it', () => {
    const warnings = new FleetWarnings(WANTED);
    const memory = remembering({ 'i-1': { readyMs: 5 } });
    const seen = { ...QUIET, instances: [gone('i-1', 'ended by exit code 1\nline one\nline two')] };
    expect(warnings.next(WANTED, memory, seen)).toEqual([
      'worker i-1 ended by itself: ended by exit code 1; another is launched in its place\nline one\nline two',
    ]);
    expect(warnings.next(WANTED, memory, QUIET)).toEqual([]);
  });

  it('says where to look when the instance was never ready', () => {
    const warnings = new FleetWarnings(WANTED);
    expect(warnings.next(WANTED, remembering({ 'i-1': {} }), QUIET)).toEqual([
      'worker i-1 ended by itself before it was ready; look at its log; another is launched in its place',
    ]);
  });

  it.each([
    ['the pass is over', applyEvents(WANTED, [{ type: 'desired_set', count: 0 }]), QUIET],
    ['less is wanted', applyEvents(WANTED, [{ type: 'desired_set', count: 1 }]), QUIET],
    ['the run was stopped', applyEvents(WANTED, [{ type: 'stopped', reason: 'a block' }]), QUIET],
  ])('promises no replacement when %s', (_, state, observation) => {
    const warnings = new FleetWarnings(WANTED);
    const memory = remembering({ 'i-1': { readyMs: 5 } });
    expect(warnings.next(state, memory, observation)).toEqual(['worker i-1 ended by itself']);
  });

  it('is told during a pass, but not for instances that the pass released', () => {
    const behaviours = [{ diesAt: 6 }, {}, { diesAt: 1 }];
    const world = new VirtualWorld({ ranges: evenRanges(20, 100), limits: { workers: 3 }, behaviours });
    const warnings = new FleetWarnings(world.state);
    const told: string[] = [];
    for (let tick = 1, over = false; !over; tick += 1) {
      over = world.tick(tick);
      told.push(...warnings.next(world.state, world.memory, world.observation));
    }
    expect(told).toEqual([
      'worker w3 ended by itself before it was ready: exit code 1; look at its log; another is launched in its place',
      'worker w1 ended by itself: exit code 1; another is launched in its place',
    ]);
  });
});

function replaced(instance: string, reason: string) {
  return { type: 'terminating', instance, decrement: false, replaced: true, reason } as const;
}

function gone(id: string, detail: string) {
  return { ...PLAIN_INSTANCE, id, phase: 'gone', run: 'run-1', detail } as const;
}

/** Instances that ended by themselves. */
function remembering(instances: Record<string, Partial<InstanceMemory>>): Memory {
  const ended: InstanceMemory = {
    firstSeenMs: 0,
    lastSeenMs: 0,
    answeredMs: null,
    readyMs: null,
    terminatedMs: null,
    endedByItself: true,
    goneBefore: false,
    unfit: null,
    drainingMs: null,
    strayMs: null,
    rowsPerMs: null,
  };
  const entries = Object.entries(instances).map(([id, changes]) => [id, { ...ended, ...changes }] as const);
  return { ...emptyMemory(), instances: new Map(entries) };
}
