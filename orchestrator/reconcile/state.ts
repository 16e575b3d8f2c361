import { addCounts, NO_COUNTS } from './counts.ts';
import type {
  Counts,
  Phase,
  PhaseRecord,
  PlannedRange,
  RunEvent,
  RunIdentity,
  SettledEvent,
} from './events.ts';

/**
 * A run as its journal tells it: the fold of its events. Plain JSON, so that a snapshot is the state itself.
 *
 *   range:  waiting -> assigned -> done
 *              ^          |-----> waiting   with what is not settled (worker lost, task failed, stood still)
 *              |          '-----> failed    after the last attempt
 *              '---- pass_resumed (a new start of the same run gives failed ranges new attempts)
 */
export interface RunState {
  readonly identity: RunIdentity | null;
  readonly phases: Readonly<Partial<Record<Phase, PhaseState>>>;
  /** The pass that reads now or read last; 1 is the main one, later ones read again what did not validate. */
  readonly pass: number;
  readonly ranges: Readonly<Record<string, RangeState>>;
  /** The fleet's desired capacity as this run wants it. */
  readonly desired: number;
  /** Every instance that a terminate call was ever intended for; a decrement happens at most once per instance. */
  readonly terminations: Readonly<Record<string, { readonly decrement: boolean; readonly reason: string }>>;
  /** Instances terminated to be replaced since this pass began or was taken up again. */
  readonly replacements: number;
  /** Instances that had work of this run. */
  readonly instances: readonly string[];
  /** Why the pass ended before its end; null: it did not. */
  readonly stopped: string | null;
  /** Planned ranges, by number, that were given out more than once: they are always compared key by key. */
  readonly readTwice: readonly string[];
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

export interface PhaseState {
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly record: PhaseRecord | null;
}

export interface RangeState {
  readonly id: string;
  /** The rest that is still to be read; moves up as stretches settle. */
  readonly start: string | null;
  readonly end: string | null;
  readonly rows: number;
  readonly status: 'waiting' | 'assigned' | 'done' | 'failed';
  /** Number of the newest task of this range. */
  readonly attempt: number;
  /** Attempts that failed by their own fault. */
  readonly charged: number;
  readonly instance: string | null;
  readonly task: string | null;
  /** The sum of all accepted stretches. */
  readonly counts: Counts;
  /** Last keys of accepted stretches before the final one. A range with any was read more than once in part. */
  readonly cuts: readonly string[];
  readonly lastReason: string | null;
}

export function emptyState(): RunState {
  return {
    identity: null,
    phases: {},
    pass: 0,
    ranges: {},
    desired: 0,
    terminations: {},
    replacements: 0,
    instances: [],
    stopped: null,
    readTwice: [],
    earlierPasses: [],
    promotionIntent: null,
    promotion: null,
    rolledBack: null,
    result: null,
    abandoned: false,
  };
}

export function applyEvent(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'run_started': {
      const { type: _, ...identity } = event;
      return { ...state, identity };
    }
    case 'phase_started':
      return withPhase(state, event.phase, { startedAt: event.at, finishedAt: null, record: null });
    case 'phase_finished': {
      const startedAt = state.phases[event.phase]?.startedAt ?? event.at;
      return withPhase(state, event.phase, { startedAt, finishedAt: event.at, record: event.record });
    }
    case 'pass_opened':
      return {
        ...state,
        pass: event.pass,
        stopped: null,
        replacements: 0,
        readTwice: event.pass === 1 ? [] : withNumbers(state.readTwice, event.ranges),
        earlierPasses:
          state.pass === 0 ? [] : [...state.earlierPasses, { pass: state.pass, counts: totalCounts(state) }],
        ranges: byId(event.ranges.map(freshRange)),
      };
    case 'pass_resumed':
      return { ...state, stopped: null, replacements: 0, ranges: mapRanges(state, revive) };
    case 'target_lost':
      return withoutLaterPhases(
        { ...state, stopped: null, ranges: {}, readTwice: [], pass: 0, earlierPasses: [] },
        'create-index',
      );
    case 'assigned':
      return {
        ...withRange(state, event.range, (range) => ({
          ...range,
          status: 'assigned',
          attempt: event.attempt,
          instance: event.instance,
          task: event.task,
        })),
        readTwice:
          event.attempt === 1 ? state.readTwice : withNumbers(state.readTwice, [{ id: event.range }]),
        instances: state.instances.includes(event.instance)
          ? state.instances
          : [...state.instances, event.instance],
      };
    case 'settled':
      return withRange(state, event.range, (range) => settle(range, event));
    case 'desired_set':
      return { ...state, desired: event.count };
    case 'terminating':
      return {
        ...state,
        desired: event.decrement ? Math.max(0, state.desired - 1) : state.desired,
        replacements: state.replacements + (event.replaced ? 1 : 0),
        terminations: {
          ...state.terminations,
          [event.instance]: { decrement: event.decrement, reason: event.reason },
        },
      };
    case 'stopped':
      return { ...state, stopped: state.stopped ?? event.reason };
    case 'promotion_intended':
      return { ...state, promotionIntent: event.record };
    case 'promoted':
      return { ...state, promotion: event.record, promotionIntent: null, rolledBack: null };
    case 'rolled_back':
      return { ...state, rolledBack: { at: event.at, ...event.record } };
    case 'finished':
      return { ...state, result: event.result };
    case 'abandoned':
      return { ...state, abandoned: true };
    default:
      return event satisfies never;
  }
}

function settle(range: RangeState, event: SettledEvent): RangeState {
  // A settled event of a task that no longer has the range changes nothing: its stretch was given away.
  if (range.task !== event.task || range.status !== 'assigned') return range;
  const done = event.outcome === 'done';
  const moved = event.through === null || done ? range.start : (BigInt(event.through) + 1n).toString();
  return {
    ...range,
    start: moved,
    status: done ? 'done' : event.outcome === 'failed' ? 'failed' : 'waiting',
    charged: range.charged + (event.charged ? 1 : 0),
    counts: addCounts(range.counts, event.counts),
    cuts: event.through === null || done ? range.cuts : [...range.cuts, event.through],
    lastReason: event.reason,
  };
}

/** `p2-0007` and `p1-0007` are the same planned range in two passes. */
export function rangeNumber(id: string): string {
  return id.slice(id.indexOf('-') + 1);
}

function withNumbers(
  known: readonly string[],
  ranges: readonly { readonly id: string }[],
): readonly string[] {
  return [...new Set([...known, ...ranges.map(({ id }) => rangeNumber(id))])];
}

function freshRange(planned: PlannedRange): RangeState {
  return {
    ...planned,
    status: 'waiting',
    attempt: 0,
    charged: 0,
    instance: null,
    task: null,
    counts: NO_COUNTS,
    cuts: [],
    lastReason: null,
  };
}

function revive(range: RangeState): RangeState {
  return range.status === 'failed' ? { ...range, status: 'waiting', charged: 0 } : range;
}

function withPhase(state: RunState, phase: Phase, value: PhaseState): RunState {
  return { ...state, phases: { ...state.phases, [phase]: value } };
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

function withoutLaterPhases(state: RunState, from: 'create-index'): RunState {
  const kept = Object.entries(state.phases).filter(
    ([phase]) => !AFTER_CREATE.slice(AFTER_CREATE.indexOf(from)).includes(phase as Phase),
  );
  return { ...state, phases: Object.fromEntries(kept) };
}

function withRange(state: RunState, id: string, change: (range: RangeState) => RangeState): RunState {
  const range = state.ranges[id];
  if (range === undefined)
    throw new Error(`the journal speaks of range ${id}, which this pass does not have`);
  return { ...state, ranges: { ...state.ranges, [id]: change(range) } };
}

function mapRanges(state: RunState, change: (range: RangeState) => RangeState): RunState['ranges'] {
  return byId(Object.values(state.ranges).map(change));
}

function byId(ranges: readonly RangeState[]): Record<string, RangeState> {
  return Object.fromEntries(ranges.map((range) => [range.id, range]));
}

/** All rows that this pass has settled and accepted. */
export function totalCounts(state: RunState): Counts {
  return Object.values(state.ranges).reduce((sum, range) => addCounts(sum, range.counts), NO_COUNTS);
}
