import type { TaskStatus } from '../../worker/contract.ts';

/**
 * What the ticks before have seen: clocks and last answers. Not journalled; after a crash it is rebuilt from the
 * next observations, and every clock starts anew.
 */
export interface Memory {
  readonly instances: ReadonlyMap<string, InstanceMemory>;
  /** By task id, for the tasks that are assigned now. */
  readonly tasks: ReadonlyMap<string, TaskMemory>;
  /** When this process last decided on a call that changes the fleet; at first when it began to look. */
  readonly fleetCallMs: number;
  /** Since when the group has had fewer instances than it was asked for; null: it has not. */
  readonly shortSinceMs: number | null;
}

export interface InstanceMemory {
  readonly firstSeenMs: number;
  /** When a look at the fleet last showed it. */
  readonly lastSeenMs: number;
  /** When it last answered at all; null: never. */
  readonly answeredMs: number | null;
  /** When it last answered as ready; null: never. */
  readonly readyMs: number | null;
  /** Since when its worker is drained, as this process knows; null: it is not. */
  readonly drainingMs: number | null;
  readonly terminatedMs: number | null;
  /** Since when its worker has had tasks that the run does not know; null: it has none. */
  readonly strayMs: number | null;
  /** It ended without having been told to, while this process looked on. */
  readonly endedByItself: boolean;
  /** It was gone at the first look: it ended under the eyes of an earlier process, or of another run's. */
  readonly goneBefore: boolean;
  /** Why it can be given no work, though it answers; null: it can. */
  readonly unfit: string | null;
  /** What its last task that moved came to; null: not known. */
  readonly rowsPerMs: number | null;
}

export interface TaskMemory {
  /** Since when it has been assigned, as this process knows. */
  readonly assignedMs: number;
  /** The last believable status; null: no worker has spoken of it. */
  readonly status: TaskStatus | null;
  /** Since when it is the one that its worker works on; null: it waits in the queue. */
  readonly runsSinceMs: number | null;
  /** When the task's figures or what it waits for last changed, or it began to run. */
  readonly movedMs: number;
  /** When its figures alone last changed, or it began to run. */
  readonly progressedMs: number;
  /** Since when it says that it waits for the same dependency; null: it does not wait. */
  readonly waitingSinceMs: number | null;
  /** When a cut of it was last refused; null: never. */
  readonly cutRefusedMs: number | null;
  /** A later answer said less than an earlier one: nothing that was said of it is believed. */
  readonly contradicted: boolean;
}

/** A memory of one's own, to be changed during a tick. */
export interface EditableMemory extends Memory {
  readonly instances: Map<string, InstanceMemory>;
  readonly tasks: Map<string, TaskMemory>;
  fleetCallMs: number;
  shortSinceMs: number | null;
}

export function emptyMemory(): Memory {
  return { instances: new Map(), tasks: new Map(), fleetCallMs: Number.NaN, shortSinceMs: null };
}

/** Rows per millisecond of a task since it began to run; null: too little was seen to say. */
export function rateOf(task: TaskMemory | undefined, nowMs: number): number | null {
  if (task?.status == null || task.runsSinceMs === null || nowMs <= task.runsSinceMs) return null;
  return task.status.rows_read === 0 ? null : task.status.rows_read / (nowMs - task.runsSinceMs);
}
