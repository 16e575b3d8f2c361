import type { SettledCounts } from './bulk/writer.ts';
import type { Dependency, TaskError, TaskRequest, TaskStatus } from './contract.ts';

/** A task's figures at one moment. */
export interface TaskFigures {
  readonly settledThrough: bigint | null;
  /** A key at or near the first row that was read. */
  readonly firstKey: bigint | null;
  readonly counts: Readonly<SettledCounts>;
  readonly bytesSent: number;
  readonly retries: number;
  readonly waitingFor: Dependency | null;
}

export const NO_FIGURES: TaskFigures = {
  settledThrough: null,
  firstKey: null,
  counts: { rowsRead: 0, filtered: 0, indexed: 0, superseded: 0, deadLetters: 0 },
  bytesSent: 0,
  retries: 0,
  waitingFor: null,
};

/** When a task began (or was accepted, while it waits), and how it ended. */
export interface TaskTimes {
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly error: TaskError | null;
}

/** A task's status on the wire. Pure. */
export function statusOf(request: TaskRequest, figures: TaskFigures, times: TaskTimes): TaskStatus {
  const { counts } = figures;
  const active = times.finishedAt === null;
  return {
    task_id: request.task_id,
    active,
    attempt: request.attempt,
    end_index: request.end_index,
    progress: !active && times.error === null ? 100 : progressOf(request, figures),
    settled_through: figures.settledThrough === null ? null : String(figures.settledThrough),
    rows_read: counts.rowsRead,
    filtered: counts.filtered,
    targets: request.targets.map(({ index }) => ({
      index,
      indexed: counts.indexed,
      superseded: counts.superseded,
      filtered: counts.filtered,
      dead_letters: counts.deadLetters,
    })),
    bytes_sent: figures.bytesSent,
    retries: figures.retries,
    waiting_for: active ? figures.waitingFor : null,
    start_time: times.startedAt.toISOString(),
    finish_time: times.finishedAt?.toISOString() ?? null,
    error: times.error,
  };
}

/** Nothing but completion is 100. */
const MOST_BEFORE_COMPLETION = 99.99;

/**
 * The share of the keys that is settled, in percent with two decimals. Where the range has no start, it is measured from
 * the first key read; where it has no end, nobody here knows how far it goes, and it stays 0 until completion.
 */
export function progressOf(
  request: Pick<TaskRequest, 'start_index' | 'end_index'>,
  figures: TaskFigures,
): number {
  const start = request.start_index === null ? figures.firstKey : BigInt(request.start_index);
  if (request.end_index === null || start === null || figures.settledThrough === null) return 0;
  const span = BigInt(request.end_index) - start;
  const done = figures.settledThrough - start + 1n;
  if (span <= 0n || done <= 0n) return 0;
  return Math.min(MOST_BEFORE_COMPLETION, Number((done * 10_000n) / span) / 100);
}
