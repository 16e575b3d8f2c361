import { z } from 'zod';
import { keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import type { RunEvent, SettledEvent } from './events.ts';
import { keyText } from './key-text.ts';
import type { PlannedRange } from './run-plan.ts';

/**
 * A range of the present pass that was given out and is not done, and how it changes; see `RunState` for the picture.
 * Each transition makes a new value and changes nothing.
 */
export type RangeState = WaitingRange | AssignedRange | FailedRange;

interface OpenRange {
  /** `p1-0007`, and `p1-0007.3` for what a cut made of it. */
  readonly id: string;
  /** The rest that is still to be read; moves up as stretches settle. */
  readonly start: string | null;
  readonly end: string | null;
  /** About how many rows the rest has, and their bytes. */
  readonly rows: number;
  readonly bytes: number;
  /** Number of the newest task of this range; 0: it never had one. */
  readonly attempt: number;
  /** Attempts that failed by their own fault. */
  readonly charged: number;
  /** Why the last task was taken back; null: none was. */
  readonly lastReason: string | null;
}

/** It has no task. */
export interface WaitingRange extends OpenRange {
  readonly status: 'waiting';
}

/** A worker has it, or is to have it. */
export interface AssignedRange extends OpenRange {
  readonly status: 'assigned';
  readonly instance: string;
  readonly task: string;
  /** Where its task is being cut; null: nowhere. */
  readonly cutAt: string | null;
}

/** Its last attempt failed: nobody tries again before the pass is resumed. */
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

/** A range as a snapshot of the journal holds it. */
export const rangeStateSchema: z.ZodType<RangeState> = z.discriminatedUnion('status', [
  z.strictObject({ ...open, status: z.literal('waiting') }),
  z.strictObject({ ...open, ...task, status: z.literal('assigned') }),
  z.strictObject({ ...open, status: z.literal('failed'), lastReason: z.string() }),
]);

/** A range of the plan as a pass begins it. */
export function freshRange({ number, ...planned }: PlannedRange, pass: number): WaitingRange {
  return { ...planned, ...NEVER_GIVEN, id: `p${pass}-${number}` };
}

const NEVER_GIVEN = { status: 'waiting', attempt: 0, charged: 0, lastReason: null } as const;

/** `p2-0007`, `p1-0007` and `p1-0007.3` are the same planned range, or a part of it: `0007`. */
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
    throw new Error(`the journal leaves a rest behind ${through}, and no key can come after that`);
  return kind.format(next);
}

/** A new start of the run gives it all its attempts anew. */
export function retryRange(range: FailedRange): WaitingRange {
  return { ...withoutTask(range), status: 'waiting', charged: 0 };
}

/** Its task now ends at `at`: what lies from there on is a range of its own. */
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
