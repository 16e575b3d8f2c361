import type { TaskStatus } from '../../worker/contract.ts';

/**
 * What earlier ticks have seen: clocks and last answers. It is not journalled. After a crash it is rebuilt from the
 * next observations, and every clock starts again.
 */
export interface Memory {
  readonly instances: ReadonlyMap<string, InstanceMemory>;
  /** The tasks that are assigned now, by task id. */
  readonly tasks: ReadonlyMap<string, TaskMemory>;
  /** When this process last decided on a call that changes the fleet. At first, when it began to look. */
  readonly fleetCallMs: number;
  /** Since when the group has had fewer instances than it was asked for. Null when it has enough. */
  readonly shortSinceMs: number | null;
}

export interface InstanceMemory {
  readonly firstSeenMs: number;
  /** When a look at the fleet last showed it. */
  readonly lastSeenMs: number;
  /** When it last answered at all. Null if never. */
  readonly answeredMs: number | null;
  /** When it last answered as ready. Null if never. */
  readonly readyMs: number | null;
  /** Since when its worker is drained, as this process knows. Null when it is not. */
  readonly drainingMs: number | null;
  readonly terminatedMs: number | null;
  /** Since when its worker has had tasks that the run does not know. Null when it has none. */
  readonly strayMs: number | null;
  /** True when it ended by itself while this process looked on. */
  readonly endedByItself: boolean;
  /** True when it was gone at the first look. It ended while an earlier process, or another run, looked on. */
  readonly goneBefore: boolean;
  /** Why it can be given no work, though it answers. Null when it can. */
  readonly unfit: string | null;
  /** The pace of its last task that moved. Null when not known. */
  readonly rowsPerMs: number | null;
}

export interface TaskMemory {
  /** Since when this process has known it as assigned. */
  readonly assignedMs: number;
  /** The last believable status. Null when no worker has reported one. */
  readonly status: TaskStatus | null;
  /** Since when its worker has worked on it. Null while it waits in the queue. */
  readonly runsSinceMs: number | null;
  /** When the task's figures or what it waits for last changed, or it began to run. */
  readonly movedMs: number;
  /** When its figures alone last changed, or it began to run. */
  readonly progressedMs: number;
  /** Since when it has waited for the same dependency. Null when it does not wait. */
  readonly waitingSinceMs: number | null;
  /** When a cut of it was last refused. Null if never. */
  readonly cutRefusedMs: number | null;
  /** True when a later answer said less than an earlier one. Then nothing that was said of it is believed. */
  readonly contradicted: boolean;
}

/** A copy of a memory that may change during a tick. */
export interface EditableMemory extends Memory {
  readonly instances: Map<string, InstanceMemory>;
  readonly tasks: Map<string, TaskMemory>;
  fleetCallMs: number;
  shortSinceMs: number | null;
}

export function emptyMemory(): Memory {
  return { instances: new Map(), tasks: new Map(), fleetCallMs: Number.NaN, shortSinceMs: null };
}

/** A task's rows per millisecond since it began to run. Null when too little was seen to say. */
export function rateOf(task: TaskMemory | undefined, nowMs: number): number | null {
  if (task?.status == null || task.runsSinceMs === null || nowMs <= task.runsSinceMs) return null;
  return task.status.rows_read === 0 ? null : task.status.rows_read / (nowMs - task.runsSinceMs);
}
