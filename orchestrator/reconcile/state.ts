import type { KeyKind } from '../../definition/key/key-kind.ts';
import { keyKindNamed } from '../../definition/key/kinds.ts';
import { addCounts, NO_COUNTS } from './counts.ts';
import type {
  Counts,
  Phase,
  PhaseRecord,
  PlannedRange,
  RunEvent,
  RunIdentity,
  RunPlan,
  SettledEvent,
} from './events.ts';
import type { FleetPin } from './fleet-pin.ts';
import {
  type AssignedRange,
  assignRange,
  cutRange,
  freshRange,
  rangeNumber,
  type RangeState,
  restOfRange,
  retryRange,
} from './range-state.ts';
import { workOf } from './work.ts';

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
  readonly phases: Readonly<Partial<Record<Phase, PhaseState>>>;
  /** The pass that reads now or read last; 0 before the first. A number is never used twice, nor are its write aliases. */
  readonly pass: number;
  /** The pass that reads the whole table; 0 before it opens. Later ones read again what did not validate. */
  readonly mainPass: number;
  /** Numbers of the planned ranges that the pass reads; null: all. */
  readonly numbers: readonly string[] | null;
  /** The ranges of the pass, longest first. */
  readonly order: readonly PlannedRange[];
  /** So many of `order` were given out at least once. */
  readonly given: number;
  /** Ranges that were given out and are not done, by id. */
  readonly open: ReadonlyMap<string, RangeState>;
  /** Ranges that cuts have made in this pass. */
  readonly cuts: number;
  /** The sum of all accepted stretches of this pass. */
  readonly counts: Counts;
  /** What the run's workers are launched from; null: the run has not begun. */
  readonly pin: FleetPin | null;
  /**
   * The fleet was at zero under this run's claim: what is there now is this run's, but for these, which had ended by then
   * and are still shown (EC2 does so for about an hour). Null: it was not yet seen at zero.
   */
  readonly cleared: { readonly earlier: ReadonlySet<string> } | null;
  /** Every instance of this run, for what it costs. */
  readonly instances: ReadonlyMap<string, InstanceTimes>;
  /** With how many workers the pass goes on because the cloud had no more, and why; null: with as many as are wanted. */
  readonly capacity: { readonly workers: number; readonly reason: string } | null;
  /** The fleet's desired capacity as this run wants it. */
  readonly desired: number;
  /** Every instance that a terminate call was ever intended for; a decrement happens at most once per instance. */
  readonly terminations: Readonly<Record<string, Termination>>;
  /** Instances terminated to be replaced since this pass began or was taken up again. */
  readonly replacements: number;
  /** Why the pass ended before its end; null: it did not. */
  readonly stopped: string | null;
  /** Numbers of planned ranges that were given out more than once, in whole or in part. */
  readonly readTwice: ReadonlySet<string>;
  /** What passes before this one had settled. */
  readonly earlierPasses: readonly { readonly pass: number; readonly counts: Counts }[];
  /** Where the alias pointed when its move was decided; kept until the move is recorded. */
  readonly promotionIntent: PhaseRecord | null;
  /** The recorded move of the alias, for rollback; null: not promoted. */
  readonly promotion: PhaseRecord | null;
  readonly rolledBack: PhaseRecord | null;
  readonly result: PhaseRecord | null;
  readonly abandoned: boolean;
}

export interface Termination {
  readonly decrement: boolean;
  /** Another was expected in its place. */
  readonly replaced: boolean;
  readonly reason: string;
}

/** By the cloud's clock, ISO 8601. */
export interface InstanceTimes {
  readonly launchedAt: string;
  readonly endedAt: string | null;
  /** False: it was only found gone, and `endedAt` is the latest that it can have been. */
  readonly seen: boolean;
}

export interface PhaseState {
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly record: PhaseRecord | null;
}

export function emptyState(): RunState {
  return {
    identity: null,
    plan: null,
    phases: {},
    pass: 0,
    mainPass: 0,
    numbers: null,
    order: [],
    given: 0,
    open: new Map(),
    cuts: 0,
    counts: NO_COUNTS,
    pin: null,
    cleared: null,
    instances: new Map(),
    capacity: null,
    desired: 0,
    terminations: {},
    replacements: 0,
    stopped: null,
    readTwice: new Set(),
    earlierPasses: [],
    promotionIntent: null,
    promotion: null,
    rolledBack: null,
    result: null,
    abandoned: false,
  };
}

/** How many ranges of the pass stand where. Those that wait include those that were never given out. */
export function rangeCounts(state: RunState): Record<RangeState['status'] | 'done' | 'total', number> {
  const counts = { waiting: state.order.length - state.given, assigned: 0, failed: 0 };
  for (const { status } of state.open.values()) counts[status] += 1;
  const done = state.given + state.cuts - state.open.size;
  return { ...counts, done, total: state.order.length + state.cuts };
}

export function isDone(state: RunState): boolean {
  return state.given === state.order.length && state.open.size === 0;
}

/** The next range of the pass that was never given out; null: all were. */
export function nextFresh(state: RunState): RangeState | null {
  const planned = state.order[state.given];
  return planned === undefined ? null : freshRange(planned, state.pass);
}

/** The kind of the run's keys, as its plan says. */
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
  return `p${state.pass}-${rangeNumber(range.id)}.${state.cuts + 1}`;
}

/** The ranges of a pass in the order in which they are given out: the longest first, so that none is left for the end. */
export function workOrder(plan: RunPlan | null, numbers: readonly string[] | null): PlannedRange[] {
  const wanted = numbers === null ? null : new Set(numbers);
  const ranges = (plan?.ranges ?? []).filter(({ number }) => wanted?.has(number) ?? true);
  return ranges.sort((a, b) => workOf(b) - workOf(a));
}

/** A state of one's own, to be changed event by event; what it shares with the other is never changed. */
export type EditableState = {
  -readonly [Name in keyof RunState]: RunState[Name];
} & {
  open: Map<string, RangeState>;
  readTwice: Set<string>;
  terminations: Terminations;
  instances: Map<string, InstanceTimes>;
};
type Terminations = Record<string, Termination>;

export function editableCopy(state: RunState): EditableState {
  return {
    ...state,
    open: new Map(state.open),
    readTwice: new Set(state.readTwice),
    terminations: { ...state.terminations },
    instances: new Map(state.instances),
  };
}

export function applyEvents(state: RunState, events: readonly RunEvent[]): RunState {
  const next = editableCopy(state);
  for (const event of events) applyTo(next, event);
  return next;
}

/** Changes `state` by one event. */
export function applyTo(state: EditableState, event: RunEvent): void {
  switch (event.type) {
    case 'run_started': {
      const { type: _, ...identity } = event;
      state.identity = identity;
      return;
    }
    case 'planned':
      state.plan = { keyKind: event.keyKind, ranges: event.ranges, bounds: event.bounds };
      return;
    case 'phase_started':
      return setPhase(state, event.phase, { startedAt: event.at, finishedAt: null, record: null });
    case 'phase_finished': {
      const startedAt = state.phases[event.phase]?.startedAt ?? event.at;
      return setPhase(state, event.phase, { startedAt, finishedAt: event.at, record: event.record });
    }
    case 'pass_opened':
      return openPass(state, event.pass, event.numbers);
    case 'pass_resumed':
      state.stopped = null;
      state.replacements = 0;
      state.capacity = null;
      for (const [id, range] of state.open)
        if (range.status === 'failed') state.open.set(id, retryRange(range));
      return;
    case 'target_lost':
      return forgetPasses(state);
    case 'assigned':
      return assign(state, event);
    case 'settled':
      return settle(state, event);
    case 'cut_intended':
      return setCut(state, event, event.at);
    case 'cut_refused':
      return setCut(state, event, null);
    case 'cut':
      return cut(state, event);
    case 'fleet_pinned':
      state.pin = event.pin;
      return;
    case 'fleet_cleared':
      state.cleared = { earlier: new Set(event.earlier) };
      return;
    case 'instance_launched':
      state.instances.set(event.instance, { launchedAt: event.at, endedAt: null, seen: true });
      return;
    case 'instance_ended':
      return endInstance(state, event);
    case 'capacity_limited':
      state.capacity = { workers: event.workers, reason: event.reason };
      state.desired = event.workers;
      return;
    case 'desired_set':
      state.desired = event.count;
      return;
    case 'terminating':
      if (event.decrement) state.desired = Math.max(0, state.desired - 1);
      if (event.replaced) state.replacements += 1;
      state.terminations[event.instance] = {
        decrement: event.decrement,
        replaced: event.replaced,
        reason: event.reason,
      };
      return;
    case 'stopped':
      state.stopped ??= event.reason;
      return;
    case 'promotion_intended':
      state.promotionIntent = event.record;
      return;
    case 'promoted':
      state.promotion = event.record;
      state.promotionIntent = null;
      state.rolledBack = null;
      return;
    case 'rolled_back':
      state.rolledBack = { at: event.at, ...event.record };
      return;
    case 'finished':
      state.result = event.result;
      return;
    case 'abandoned':
      state.abandoned = true;
      return;
    default:
      return event satisfies never;
  }
}

function openPass(state: EditableState, pass: number, numbers: readonly string[] | null): void {
  if (state.mainPass !== 0)
    state.earlierPasses = [...state.earlierPasses, { pass: state.pass, counts: state.counts }];
  if (numbers === null) {
    state.mainPass = pass;
    state.readTwice = new Set();
  }
  for (const number of numbers ?? []) state.readTwice.add(number);
  Object.assign(state, {
    pass,
    numbers,
    stopped: null,
    replacements: 0,
    capacity: null,
    given: 0,
    cuts: 0,
    counts: NO_COUNTS,
  });
  state.order = workOrder(state.plan, numbers);
  state.open.clear();
}

const AFTER_CREATE: readonly Phase[] = [
  'create-index',
  'reindex',
  'finalize',
  'validate',
  'promote',
  'retain',
  'release',
];

/** The target is gone: what was settled in it is not, and the main pass is opened anew under another number. */
function forgetPasses(state: EditableState): void {
  const kept = Object.entries(state.phases).filter(([phase]) => !AFTER_CREATE.includes(phase as Phase));
  state.phases = Object.fromEntries(kept);
  Object.assign(state, { mainPass: 0, numbers: null, order: [], given: 0, cuts: 0, counts: NO_COUNTS });
  state.stopped = null;
  state.earlierPasses = [];
  state.open.clear();
  state.readTwice.clear();
}

function assign(state: EditableState, event: Extract<RunEvent, { type: 'assigned' }>): void {
  const fresh = state.open.has(event.range) ? null : nextFresh(state);
  if (fresh?.id === event.range) state.given += 1;
  const range =
    state.open.get(event.range) ?? (fresh?.id === event.range ? fresh : unknownRange(event.range));
  if (event.attempt > 1) state.readTwice.add(rangeNumber(range.id));
  state.open.set(range.id, assignRange(range, event));
}

function settle(state: EditableState, event: SettledEvent): void {
  const range = ofTask(state, event);
  if (range === null) return;
  state.counts = addCounts(state.counts, event.counts);
  if (event.outcome === 'done') state.open.delete(range.id);
  else state.open.set(range.id, restOfRange(keyKindOfRun(state), range, event));
}

function cut(state: EditableState, event: Extract<RunEvent, { type: 'cut' }>): void {
  const range = ofTask(state, event);
  if (range === null) return;
  const { kept, rest } = cutRange(range, event);
  state.cuts += 1;
  state.open.set(kept.id, kept);
  state.open.set(rest.id, rest);
}

function setCut(state: EditableState, event: { range: string; task: string }, at: string | null): void {
  const range = ofTask(state, event);
  if (range !== null) state.open.set(range.id, { ...range, cutAt: at });
}

/** Null: the task no longer has the range, so what it says changes nothing. Its stretch was given away. */
function ofTask(state: EditableState, event: { range: string; task: string }): AssignedRange | null {
  const range = state.open.get(event.range);
  return range?.status === 'assigned' && range.task === event.task ? range : null;
}

function endInstance(
  state: EditableState,
  { instance, at, seen }: { instance: string; at: string; seen: boolean },
): void {
  const times = state.instances.get(instance);
  if (times !== undefined) state.instances.set(instance, { ...times, endedAt: at, seen });
}

function setPhase(state: EditableState, phase: Phase, value: PhaseState): void {
  state.phases = { ...state.phases, [phase]: value };
}

function unknownRange(id: string): never {
  throw new Error(`the journal speaks of range ${id}, which is not this pass's next`);
}
