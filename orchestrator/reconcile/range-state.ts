import { z } from 'zod';
import { keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import type { RunEvent, SettledEvent } from './events.ts';
import { keyText } from './key-text.ts';
import type { PlannedRange } from './run-plan.ts';

/**
 * A range of the present pass that was given out and is not done, and how it changes. `RunState` has the picture. Each
 * transition makes a new value and changes nothing.
 */
export type RangeState = WaitingRange | AssignedRange | FailedRange;

interface OpenRange {
  /** `p1-0007`, or `p1-0007.3` for a range that a cut made of it. */
  readonly id: string;
  /** The start of the rest that is still to be read. It moves up as stretches settle. */
  readonly start: string | null;
  readonly end: string | null;
  /** About how many rows and bytes the rest has. */
  readonly rows: number;
  readonly bytes: number;
  /** The number of the range's newest task. 0 when it never had one. */
  readonly attempt: number;
  /** How many attempts failed through the range's own fault. */
  readonly charged: number;
  /** Why the last task was taken back. Null when none was. */
  readonly lastReason: string | null;
}

/** A range without a task. */
export interface WaitingRange extends OpenRange {
  readonly status: 'waiting';
}

/** A range that a worker has, or will get. */
export interface AssignedRange extends OpenRange {
  readonly status: 'assigned';
  readonly instance: string;
  readonly task: string;
  /** Where its task is being cut. Null when it is not. */
  readonly cutAt: string | null;
}

/** A range whose last attempt failed. Nobody tries it again before the pass is resumed. */
export interface FailedRange extends OpenRange {
  readonly status: 'failed';
  readonly lastReason: string;
}

const count = z.int().min(0);
const open = {
  id: z.string().min(1),
  start: keyText.nullable(),
  end: keyText.nullable(),
  rows: z.number().min(0),
  bytes: z.number().min(0),
  attempt: count,
  charged: count,
  lastReason: z.string().nullable(),
};
const task = { instance: z.string().min(1), task: z.string().min(1), cutAt: keyText.nullable() };

/** A range in a snapshot of the journal. */
export const rangeStateSchema: z.ZodType<RangeState> = z.discriminatedUnion('status', [
  z.strictObject({ ...open, status: z.literal('waiting') }),
  z.strictObject({ ...open, ...task, status: z.literal('assigned') }),
  z.strictObject({ ...open, status: z.literal('failed'), lastReason: z.string() }),
]);

/** A range of the plan at the beginning of a pass. */
export function freshRange({ number, ...planned }: PlannedRange, pass: number): WaitingRange {
  return { ...planned, ...NEVER_GIVEN, id: `p${pass}-${number}` };
}

const NEVER_GIVEN = { status: 'waiting', attempt: 0, charged: 0, lastReason: null } as const;

/** The number of the planned range: `p2-0007`, `p1-0007` and `p1-0007.3` are the range `0007`, or a part of it. */
export function rangeNumber(id: string): string {
  const end = id.indexOf('.');
  return id.slice(id.indexOf('-') + 1, end === -1 ? undefined : end);
}

type Assignment = Pick<Extract<RunEvent, { type: 'assigned' }>, 'attempt' | 'instance' | 'task'>;

export function assignRange(range: RangeState, { attempt, instance, task }: Assignment): AssignedRange {
  return { ...withoutTask(range), status: 'assigned', attempt, instance, task, cutAt: null };
}

/** What is left of a range whose task was taken back. */
export function restOfRange(
  kind: KeyKind,
  range: AssignedRange,
  { through, counts, charged, outcome, reason }: SettledEvent,
): WaitingRange | FailedRange {
  const left = Math.max(0, range.rows - counts.rowsRead);
  const rest = {
    ...withoutTask(range),
    start: through === null ? range.start : keyBehind(kind, through),
    rows: left,
    bytes: range.rows === 0 ? range.bytes : (range.bytes * left) / range.rows,
    charged: range.charged + (charged ? 1 : 0),
  };
  return outcome === 'failed'
    ? { ...rest, status: 'failed', lastReason: reason ?? 'no reason was recorded' }
    : { ...rest, status: 'waiting', lastReason: reason };
}

function keyBehind(kind: KeyKind, through: string): string {
  const next = kind.after(keyFrom(kind, through));
  if (next === null)
    throw new Error(`the journal says that a rest is left after ${through}, but no key can come after that`);
  return kind.format(next);
}

/** Gives a failed range all its attempts again, at a new start of the run. */
export function retryRange(range: FailedRange): WaitingRange {
  return { ...withoutTask(range), status: 'waiting', charged: 0 };
}

/** Ends a range's task at `at`. From there on there is a range of its own. */
export function cutRange(
  range: AssignedRange,
  { at, rest, rows: wanted }: Pick<Extract<RunEvent, { type: 'cut' }>, 'at' | 'rest' | 'rows'>,
): { kept: AssignedRange; rest: WaitingRange } {
  const bytes = range.rows === 0 ? 0 : (range.bytes * Math.min(wanted, range.rows)) / range.rows;
  const rows = Math.max(0, range.rows - wanted);
  return {
    kept: { ...range, end: at, cutAt: null, rows, bytes: Math.max(0, range.bytes - bytes) },
    rest: { ...NEVER_GIVEN, id: rest, start: at, end: range.end, rows: wanted, bytes },
  };
}

function withoutTask({ id, start, end, rows, bytes, attempt, charged, lastReason }: RangeState): OpenRange {
  return { id, start, end, rows, bytes, attempt, charged, lastReason };
}
