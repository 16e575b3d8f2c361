import type { TaskStatus } from '../../worker/contract.ts';
import type { Observation } from './observation.ts';

/**
 * What the ticks before have seen: clocks and last answers. Not journalled; after a crash it is rebuilt from the
 * next observations, and every clock starts anew.
 */
export interface Memory {
  readonly instances: Readonly<Record<string, InstanceMemory>>;
  readonly tasks: Readonly<Record<string, TaskMemory>>;
  /** Since when each assigned task has been assigned, as this process knows. */
  readonly assignedMs: Readonly<Record<string, number>>;
}

export interface InstanceMemory {
  readonly firstSeenMs: number;
  /** When it last answered at all; null: never. */
  readonly answeredMs: number | null;
  /** When it last answered as ready; null: never. */
  readonly readyMs: number | null;
  readonly terminatedMs: number | null;
  /** It ended without having been told to. */
  readonly endedByItself: boolean;
  /** Why it can be given no work, though it answers; null: it can. */
  readonly unfit: string | null;
}

export interface TaskMemory {
  readonly status: TaskStatus;
  /** When the task's figures last changed. */
  readonly movedMs: number;
  /** Since when it says that it waits for the same dependency; null: it does not wait. */
  readonly waitingSinceMs: number | null;
}

export function emptyMemory(): Memory {
  return { instances: {}, tasks: {}, assignedMs: {} };
}

/** `assigned`: the tasks whose last status is still needed though their worker may not answer now. */
export function rememberTick(
  memory: Memory,
  observation: Observation,
  assigned: ReadonlySet<string>,
  nowMs: number,
): Memory {
  const kept = Object.entries(memory.tasks).filter(([task]) => assigned.has(task));
  const seen = seenTasks(observation).map(
    (status) => [status.task_id, rememberTask(memory.tasks[status.task_id], status, nowMs)] as const,
  );
  return {
    instances: Object.fromEntries(
      observation.instances.map((instance) => [
        instance.id,
        rememberInstance(
          memory.instances[instance.id],
          observation.workers[instance.id],
          instance.phase === 'gone',
          nowMs,
        ),
      ]),
    ),
    tasks: Object.fromEntries([...kept, ...seen]),
    assignedMs: Object.fromEntries([...assigned].map((task) => [task, memory.assignedMs[task] ?? nowMs])),
  };
}

export function withInstance(memory: Memory, id: string, change: Partial<InstanceMemory>): Memory {
  const known = memory.instances[id];
  return known === undefined
    ? memory
    : { ...memory, instances: { ...memory.instances, [id]: { ...known, ...change } } };
}

type Answer = Observation['workers'][string] | undefined;

function rememberInstance(
  before: InstanceMemory | undefined,
  answer: Answer,
  gone: boolean,
  nowMs: number,
): InstanceMemory {
  const known = before ?? {
    firstSeenMs: nowMs,
    answeredMs: null,
    readyMs: null,
    terminatedMs: null,
    endedByItself: false,
    unfit: null,
  };
  const answered = answer?.reachable === true;
  return {
    ...known,
    answeredMs: answered ? nowMs : known.answeredMs,
    readyMs: answered && answer.ready ? nowMs : known.readyMs,
    endedByItself: known.endedByItself || (gone && known.terminatedMs === null),
  };
}

function rememberTask(before: TaskMemory | undefined, status: TaskStatus, nowMs: number): TaskMemory {
  const moved = before === undefined || markOf(before.status) !== markOf(status);
  const waitsOn = status.waiting_for !== null && before?.status.waiting_for === status.waiting_for;
  return {
    status,
    movedMs: moved ? nowMs : before.movedMs,
    waitingSinceMs: status.waiting_for === null ? null : waitsOn ? (before.waitingSinceMs ?? nowMs) : nowMs,
  };
}

/** Any change of these is progress. Retries are not: a task that only tries again stands still. */
function markOf(status: TaskStatus): string {
  return `${status.settled_through}/${status.rows_read}/${status.active}/${status.waiting_for}`;
}

function seenTasks(observation: Observation): TaskStatus[] {
  return Object.values(observation.workers).flatMap((answer) =>
    answer.reachable ? Object.values(answer.tasks).filter((status) => status !== null) : [],
  );
}
