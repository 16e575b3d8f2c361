import type { RunPlan } from '../reconcile/events.ts';
import type { RangeState } from '../reconcile/range-state.ts';
import { emptyState, type InstanceTimes, type RunState, workOrder } from '../reconcile/state.ts';

/**
 * A run's state as plain JSON, without its plan: of 100,000 ranges that alone is megabytes, never changes, and stands in
 * a segment of its own.
 */
export interface Snapshot
  extends Omit<RunState, 'plan' | 'order' | 'open' | 'readTwice' | 'instances' | 'cleared'> {
  /** Number of the segment that holds the plan; 0: there is none yet. */
  readonly planSegment: number;
  readonly open: readonly RangeState[];
  readonly readTwice: readonly string[];
  /** Of `cleared`: what had ended by then; null: the fleet was not yet seen at zero. */
  readonly earlier?: readonly string[] | null;
  readonly instances?: readonly (readonly [string, InstanceTimes])[];
}

export function packState(state: RunState, planSegment: number): Snapshot {
  const { plan: _, order: __, open, readTwice, instances, cleared, ...rest } = state;
  return {
    ...rest,
    planSegment,
    open: [...open.values()],
    readTwice: [...readTwice],
    instances: [...instances],
    earlier: cleared === null ? null : [...cleared.earlier],
  };
}

export function unpackState(snapshot: Snapshot, plan: RunPlan | null): RunState {
  const { planSegment: _, open, readTwice, instances, earlier, ...rest } = snapshot;
  return {
    // What an earlier version did not know of.
    ...emptyState(),
    ...rest,
    plan,
    order: rest.mainPass === 0 ? [] : workOrder(plan, rest.numbers),
    open: new Map(open.map((range) => [range.id, range])),
    readTwice: new Set(readTwice),
    instances: new Map(instances ?? []),
    cleared: earlier == null ? null : { earlier: new Set(earlier) },
  };
}
