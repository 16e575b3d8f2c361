import type { KeyKind } from '../../definition/key/key-kind.ts';
import { keyKindNamed } from '../../definition/key/kinds.ts';
import type { Cutoff } from './cutoff.ts';
import type { Pass } from '../passes/pass.ts';
import { type Counts, NO_COUNTS } from './counts.ts';
import type { FleetPin } from './fleet-pin.ts';
import type { RunIdentity } from './identity.ts';
import type { Phases } from './phases.ts';
import type { AliasHolder, Promotion, Rollback } from './promotion.ts';
import { freshRange, rangeNumber, type RangeState } from './range-state.ts';
import type { PlannedRange, RunPlan } from './run-plan.ts';
import type { RunResult } from './run-result.ts';
import { NO_TOTALS, type RunTotals } from './run-totals.ts';

/**
 * A run as its journal tells it: the fold of its events.
 *
 *   range:  waiting -> assigned -> done
 *              ^          |-----> waiting   with what is not settled (worker lost, task failed, stood still)
 *              |          |-----> failed    after the last attempt
 *              |          '-----> assigned  up to a new end, and another range waits from there on (cut)
 *              '---- pass_resumed (a new start of the same run gives failed ranges new attempts)
 *
 * A pass may have 100,000 ranges, and each tick and each snapshot of the journal should cost what has changed, not what
 * there is. So the ranges of a pass are given out in one order that is fixed when it opens; `given` says how many were,
 * and only those that were given out and are not done are kept one by one, in `open`.
 */
export interface RunState {
  readonly identity: RunIdentity | null;
  readonly plan: RunPlan | null;
  readonly phases: Phases;
  /** The pass that reads now or read last. Null when none has opened, or the target was lost since. */
  readonly pass: Pass | null;
  /** The highest number that a pass has had. 0 when none has opened yet. */
  readonly lastPass: number;
  /** The ranges of the pass, longest first. */
  readonly order: readonly PlannedRange[];
  /** How many ranges of `order` were given out at least once. */
  readonly given: number;
  /** The ranges that were given out and are not done, by id. */
  readonly open: ReadonlyMap<string, RangeState>;
  /** How many ranges cuts have made in this pass. */
  readonly cuts: number;
  /** The sum of all accepted stretches of this pass. */
  readonly counts: Counts;
  /** What passes before this one had settled. */
  readonly earlierPasses: readonly EndedPass[];
  /** Figures of the whole run, over all its processes. */
  readonly totals: RunTotals;
  /** The numbers of planned ranges that were given out more than once, in whole or in part. */
  readonly readTwice: ReadonlySet<string>;
  /** What the run's workers are launched from. Null before the run begins. */
  readonly pin: FleetPin | null;
  /**
   * Set when the fleet was at zero under this run's claim. Then what is there is this run's, except `earlier`: those
   * had ended by then, and some clouds still show them for an hour. Null when the fleet was not yet seen at zero.
   */
  readonly cleared: { readonly earlier: ReadonlySet<string> } | null;
  /** Every instance of this run, to account for its cost. */
  readonly instances: ReadonlyMap<string, InstanceTimes>;
  /**
   * With how many workers the pass goes on because the cloud had no more, and why. Null: with as many as are wanted.
   */
  readonly capacity: { readonly workers: number; readonly reason: string } | null;
  /** The desired capacity that this run wants. */
  readonly desired: number;
  /** Instances whose worker was told to take no more. They are ended next. The value is the reason. */
  readonly drains: Readonly<Record<string, string>>;
  /** Every instance that a terminate call was intended for. An instance is decremented at most once. */
  readonly terminations: Readonly<Record<string, Termination>>;
  /** Instances that were terminated to be replaced, since this pass began or was resumed. */
  readonly replacements: number;
  /** Why the pass ended early. Null when it did not. */
  readonly stopped: string | null;
  /** Where the alias pointed when its move was decided, by index. It is kept until the move is recorded. */
  readonly promotionIntents: ReadonlyMap<string, readonly AliasHolder[]>;
  /** The recorded move of each alias, by index, for rollback. */
  readonly promotions: ReadonlyMap<string, Promotion>;
  /** Null while the recorded moves stand. */
  readonly rolledBack: Rollback | null;
  readonly result: RunResult | null;
  readonly abandoned: boolean;
}

/** A pass, and the sum of what it has settled. */
export interface EndedPass {
  readonly pass: Pass;
  readonly counts: Counts;
}

export interface Termination {
  readonly decrement: boolean;
  /** True when another instance was expected in its place. */
  readonly replaced: boolean;
  readonly reason: string;
}

/** The times of an instance, by the cloud's clock, in ISO 8601. */
export interface InstanceTimes {
  readonly launchedAt: string;
  readonly endedAt: string | null;
  /** False when it was only found gone. Then `endedAt` is the latest that it can have been. */
  readonly seen: boolean;
}

export function emptyState(): RunState {
  return {
    identity: null,
    plan: null,
    phases: {},
    pass: null,
    lastPass: 0,
    order: [],
    given: 0,
    open: new Map(),
    cuts: 0,
    counts: NO_COUNTS,
    earlierPasses: [],
    totals: NO_TOTALS,
    readTwice: new Set(),
    pin: null,
    cleared: null,
    instances: new Map(),
    capacity: null,
    desired: 0,
    drains: {},
    terminations: {},
    replacements: 0,
    stopped: null,
    promotionIntents: new Map(),
    promotions: new Map(),
    rolledBack: null,
    result: null,
    abandoned: false,
  };
}

/** How many ranges of the pass are in each state. Waiting ranges include those that were never given out. */
export function rangeCounts(state: RunState): Record<RangeState['status'] | 'done' | 'total', number> {
  const counts = { waiting: state.order.length - state.given, assigned: 0, failed: 0 };
  for (const { status } of state.open.values()) counts[status] += 1;
  const done = state.given + state.cuts - state.open.size;
  return { ...counts, done, total: state.order.length + state.cuts };
}

export function isDone(state: RunState): boolean {
  return state.given === state.order.length && state.open.size === 0;
}

/** The next range of the pass that was never given out. Null when all were. */
export function nextFresh(state: RunState): RangeState | null {
  const planned = state.order[state.given];
  return planned === undefined ? null : freshRange(planned, state.lastPass);
}

/** The kind of the run's keys, by its plan. */
export function keyKindOfRun({ plan }: Pick<RunState, 'plan'>): KeyKind {
  const kind = plan === null ? null : keyKindNamed(plan.keyKind);
  if (kind === null)
    throw new Error(
      `this build does not know the kind of the run's keys (${plan?.keyKind ?? 'it has no plan'}): carry the run on with the build that began it`,
    );
  return kind;
}

/** The id of the range that the next cut of `range` makes. */
export function restId(state: RunState, range: RangeState): string {
  return `p${state.lastPass}-${rangeNumber(range.id)}.${state.cuts + 1}`;
}

/** Every pass since the target was created. The present one is last. */
export function passesOf({ earlierPasses, pass, counts }: RunState): readonly EndedPass[] {
  return pass === null ? earlierPasses : [...earlierPasses, { pass, counts }];
}

/** The cutoff of the last of these passes that has one. Null when none has. */
export function lastCutoff(passes: readonly EndedPass[]): Cutoff | null {
  return passes.findLast(({ pass }) => pass.cutoff !== undefined)?.pass.cutoff ?? null;
}
