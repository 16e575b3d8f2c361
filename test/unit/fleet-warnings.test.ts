import { expect, it } from 'vitest';
import { FleetWarnings } from '../../orchestrator/report/fleet-warnings.ts';
import type { Observation } from '../../orchestrator/reconcile/observation.ts';
import { applyEvents, emptyState } from '../../orchestrator/reconcile/state.ts';
import { NO_CAPACITY } from '../support/virtual-world.ts';

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

it('tells each thing that befalls a fleet once, and nothing of what befell it before', () => {
  const before = applyEvents(emptyState(), [replaced('i-1', 'it has not been ready for 300 s')]);
  const warnings = new FleetWarnings(before);
  expect(warnings.next(before, QUIET)).toEqual([]);

  const short = { ...QUIET, launchFailures: [NO_CAPACITY, NO_CAPACITY] };
  expect(warnings.next(before, short)).toEqual([`a launch failed: ${NO_CAPACITY.reason}`]);
  expect(warnings.next(before, short)).toEqual([]);

  const limited = applyEvents(before, [
    { type: 'capacity_limited', workers: 1, reason: '1 of 2 instances came within 600 s: no capacity' },
    replaced('i-2', 'it runs build b, this run is pinned to a'),
    { type: 'terminating', instance: 'i-3', decrement: true, replaced: false, reason: 'no work left' },
  ]);
  expect(warnings.next(limited, { ...short, launchFault: 'the parameter has moved' })).toEqual([
    'no more instances are launched: the parameter has moved',
    '1 of 2 instances came within 600 s: no capacity; the run goes on with 1',
    'worker i-2 is replaced: it runs build b, this run is pinned to a',
  ]);
});

function replaced(instance: string, reason: string) {
  return { type: 'terminating', instance, decrement: false, replaced: true, reason } as const;
}
