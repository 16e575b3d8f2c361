import type { Pass, PassReads } from '../passes/pass.ts';
import { addCounts, NO_COUNTS } from './counts.ts';
import type { RunEvent, SettledEvent } from './events.ts';
import { PHASE_NAMES, type Phase, type PhaseFinished, phasesBefore, type PhaseState } from './phases.ts';
import type { Promotion } from './promotion.ts';
import {
  type AssignedRange,
  assignRange,
  cutRange,
  rangeNumber,
  type RangeState,
  restOfRange,
  retryRange,
} from './range-state.ts';
import type { PlannedRange, RunPlan } from './run-plan.ts';
import { withCounts, withPhaseTime } from './run-totals.ts';
import { type InstanceTimes, keyKindOfRun, nextFresh, type RunState, type Termination } from './state.ts';
import { workOf } from './work.ts';

/** A copy of a state that events may change. What it shares with the original never changes. */
export type EditableState = {
  -readonly [Name in keyof RunState]: RunState[Name];
} & {
  open: Map<string, RangeState>;
  readTwice: Set<string>;
  drains: Record<string, string>;
  terminations: Record<string, Termination>;
  instances: Map<string, InstanceTimes>;
  promotionIntents: Map<string, NonNullable<ReturnType<RunState['promotionIntents']['get']>>>;
  promotions: Map<string, Promotion>;
};

export function editableCopy(state: RunState): EditableState {
  return {
    ...state,
    open: new Map(state.open),
    readTwice: new Set(state.readTwice),
    drains: { ...state.drains },
    terminations: { ...state.terminations },
    instances: new Map(state.instances),
    promotionIntents: new Map(state.promotionIntents),
    promotions: new Map(state.promotions),
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
    case 'planned': {
      const { type: _, ...plan } = event;
      state.plan = plan;
      return;
    }
    case 'phase_started':
      return startPhase(state, event);
    case 'phase_finished':
      return finishPhase(state, event);
    case 'pass_opened':
      return openPass(state, event.pass);
    case 'pass_resumed':
      return resumePass(state);
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
    case 'draining':
      state.drains[event.instance] = event.reason;
      return;
    case 'terminating':
      return terminate(state, event);
    case 'stopped':
      state.stopped ??= event.reason;
      return;
    case 'promotion_intended':
      state.promotionIntents.set(event.index, event.expected);
      return;
    case 'promoted':
      state.promotions.set(event.index, event.record);
      state.promotionIntents.delete(event.index);
      state.rolledBack = null;
      return;
    case 'rolled_back':
      state.rolledBack = { at: event.at, targets: event.targets };
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

function setPhase<P extends Phase>(state: EditableState, phase: P, value: PhaseState<P>): void {
  state.phases = { ...state.phases, [phase]: value };
}

function startPhase(
  state: EditableState,
  { phase, at, broken_off_at: brokenOffAt }: Extract<RunEvent, { type: 'phase_started' }>,
): void {
  const { startedAt, finishedAt = null } = state.phases[phase] ?? {};
  if (startedAt !== undefined && finishedAt === null && brokenOffAt !== undefined)
    state.totals = withPhaseTime(state.totals, phase, { from: startedAt, to: brokenOffAt });
  setPhase(state, phase, { startedAt: at, finishedAt: null, record: null });
}

function finishPhase<P extends Phase>(state: EditableState, { phase, at, record }: PhaseFinished<P>): void {
  const startedAt = state.phases[phase]?.startedAt ?? at;
  state.totals = withPhaseTime(state.totals, phase, { from: startedAt, to: at });
  setPhase(state, phase, { startedAt, finishedAt: at, record });
}

function openPass(state: EditableState, pass: Pass): void {
  if (state.pass !== null)
    state.earlierPasses = [...state.earlierPasses, { pass: state.pass, counts: state.counts }];
  if (pass.reads.kind === 'planned') state.readTwice.clear();
  else for (const number of pass.reads.numbers) state.readTwice.add(number);
  state.pass = pass;
  state.lastPass = pass.number;
  state.stopped = null;
  state.replacements = 0;
  state.capacity = null;
  beginReading(state, workOrder(state.plan, pass.reads));
}

/**
 * The ranges of a pass in the order in which they are given out. The longest come first, so that none is left for the
 * end.
 */
export function workOrder(plan: RunPlan | null, reads: PassReads): PlannedRange[] {
  const wanted = reads.kind === 'planned' ? null : new Set(reads.numbers);
  const ranges = (plan?.ranges ?? []).filter(({ number }) => wanted?.has(number) ?? true);
  return ranges.sort((a, b) => workOf(b) - workOf(a));
}

function resumePass(state: EditableState): void {
  state.stopped = null;
  state.replacements = 0;
  state.capacity = null;
  for (const [id, range] of state.open) if (range.status === 'failed') state.open.set(id, retryRange(range));
}

/**
 * Forgets all passes, because the target is gone with what was settled in it. The main pass is opened again under
 * another number.
 */
function forgetPasses(state: EditableState): void {
  const kept = PHASE_NAMES.filter((phase) => !isOfTarget(phase));
  state.phases = Object.fromEntries(
    kept.flatMap((phase) => (state.phases[phase] === undefined ? [] : [[phase, state.phases[phase]]])),
  );
  state.pass = null;
  state.stopped = null;
  state.earlierPasses = [];
  state.readTwice.clear();
  beginReading(state, []);
}

function isOfTarget(phase: Phase): boolean {
  return phase === 'create-index' || phasesBefore(phase).includes('create-index');
}

function beginReading(state: EditableState, order: readonly PlannedRange[]): void {
  state.order = order;
  state.given = 0;
  state.cuts = 0;
  state.counts = NO_COUNTS;
  state.open.clear();
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
  state.totals = withCounts(state.totals, event.counts);
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

/**
 * The range of a task. Null when the task no longer has the range, because its stretch was given away. Then what it
 * says changes nothing.
 */
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

function terminate(
  state: EditableState,
  { instance, decrement, replaced, reason }: Extract<RunEvent, { type: 'terminating' }>,
): void {
  if (decrement) state.desired = Math.max(0, state.desired - 1);
  if (replaced) state.replacements += 1;
  delete state.drains[instance];
  state.terminations[instance] = { decrement, replaced, reason };
}

function unknownRange(id: string): never {
  throw new Error(`range ${id} was never given out, and is not the next of its pass`);
}
