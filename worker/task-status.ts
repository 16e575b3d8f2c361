import { type Key, keyFrom, type KeyKind } from '../definition/key/key-kind.ts';
import type { SettledCounts, TargetCounts } from './targets/settlement.ts';
import type { Dependency, TaskError, TaskRequest, TaskStatus } from './contract.ts';

/** A task's figures at one moment. */
export interface TaskFigures {
  readonly settledThrough: Key | null;
  /** A key at or near the first row that was read. */
  readonly firstKey: Key | null;
  readonly counts: SettledCounts;
  readonly bytesSent: number;
  readonly retries: number;
  readonly waitingFor: Dependency | null;
  /** Why it waits, as a clause. */
  readonly waitingReason?: string | null;
}

export const NO_FIGURES: TaskFigures = {
  settledThrough: null,
  firstKey: null,
  counts: { rowsRead: 0, filtered: 0, targets: [] },
  bytesSent: 0,
  retries: 0,
  waitingFor: null,
};

/** When a task began and how it ended. For a waiting task: when it was accepted. */
export interface TaskTimes {
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly error: TaskError | null;
}

const NONE: TargetCounts = { indexed: 0, superseded: 0, filtered: 0, deadLetters: 0 };

/** A task's status on the wire. Pure. */
export function statusOf(
  request: TaskRequest,
  figures: TaskFigures,
  times: TaskTimes,
  kind: KeyKind,
): TaskStatus {
  const { counts } = figures;
  const active = times.finishedAt === null;
  return {
    task_id: request.task_id,
    active,
    attempt: request.attempt,
    end_index: request.end_index,
    progress: !active && times.error === null ? 100 : progressOf(request, figures, kind),
    settled_through: figures.settledThrough === null ? null : kind.format(figures.settledThrough),
    rows_read: counts.rowsRead,
    filtered: counts.filtered,
    targets: request.targets.map(({ index }, i) => {
      const { indexed, superseded, filtered, deadLetters } = counts.targets[i] ?? NONE;
      return { index, indexed, superseded, filtered, dead_letters: deadLetters };
    }),
    bytes_sent: figures.bytesSent,
    retries: figures.retries,
    waiting_for: active ? figures.waitingFor : null,
    waiting_reason: (active ? figures.waitingReason : null) ?? null,
    start_time: times.startedAt.toISOString(),
    finish_time: times.finishedAt?.toISOString() ?? null,
    error: times.error,
  };
}

/** Only a complete task has 100. */
const MOST_BEFORE_COMPLETION = 99.99;

/**
 * The share of the keys that is settled, in percent with two decimals. In a range without a start it counts from the first key
 * that was read. In a range without an end the worker does not know the last key, so it stays 0 until the task is complete.
 */
export function progressOf(
  request: Pick<TaskRequest, 'start_index' | 'end_index'>,
  { firstKey, settledThrough }: Pick<TaskFigures, 'firstKey' | 'settledThrough'>,
  kind: KeyKind,
): number {
  const start = request.start_index === null ? firstKey : keyFrom(kind, request.start_index);
  if (request.end_index === null || start === null || settledThrough === null) return 0;
  const next = kind.after(settledThrough);
  if (next === null) return MOST_BEFORE_COMPLETION;
  const span = kind.distance(start, keyFrom(kind, request.end_index));
  const done = kind.distance(start, next);
  if (span <= 0 || done <= 0) return 0;
  return Math.min(MOST_BEFORE_COMPLETION, Math.floor((done / span) * 10_000) / 100);
}
