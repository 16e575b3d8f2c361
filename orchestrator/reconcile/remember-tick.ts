import { keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import type { TaskStatus } from '../../worker/contract.ts';
import { type EditableMemory, type InstanceMemory, type Memory, rateOf, type TaskMemory } from './memory.ts';
import { ownAnswer, type WorkerAnswer } from './observation.ts';
import { keyKindOfRun } from './state.ts';
import type { Tick } from './tick.ts';

/**
 * How long an instance is remembered that a look at the fleet does not show, because looks may be stale. An instance
 * that ended by itself is never forgotten, because it has used up a replacement.
 */
const REMEMBER_MISSING_MS = 600_000;

/**
 * The memory after this tick's observation. A worker is believed only if it is of the run's build and has its
 * instance's name.
 */
export function rememberTick(tick: Tick): EditableMemory {
  const { memory, state, nowMs } = tick;
  const instances = rememberInstances(tick);
  const tasks = rememberTasks(tick);
  for (const range of state.open.values()) {
    if (range.status !== 'assigned') continue;
    const known = instances.get(range.instance);
    const rowsPerMs = rateOf(tasks.get(range.task), nowMs);
    if (known !== undefined && rowsPerMs !== null) instances.set(range.instance, { ...known, rowsPerMs });
  }
  return {
    instances,
    tasks,
    fleetCallMs: isFirstLook(memory) ? nowMs : memory.fleetCallMs,
    shortSinceMs: memory.shortSinceMs,
  };
}

function isFirstLook(memory: Memory): boolean {
  return Number.isNaN(memory.fleetCallMs);
}

function rememberInstances({ memory, observation, state, nowMs }: Tick): Map<string, InstanceMemory> {
  const instances = new Map<string, InstanceMemory>();
  for (const [id, known] of memory.instances) {
    const mayBeThere = !observation.exact && nowMs - known.lastSeenMs < REMEMBER_MISSING_MS;
    const told = state.terminations[id] !== undefined;
    if (mayBeThere || known.endedByItself) instances.set(id, known);
    else if (!told && !known.goneBefore) instances.set(id, { ...known, endedByItself: true });
  }
  for (const instance of observation.instances) {
    const told = state.terminations[instance.id] !== undefined;
    const known = memory.instances.get(instance.id);
    const answer = observation.workers.get(instance.id);
    const gone = instance.phase === 'gone';
    const goneBefore = known?.goneBefore ?? (gone && isFirstLook(memory));
    const seen = { answer, goneBefore, ended: gone && !told && !goneBefore };
    instances.set(instance.id, rememberInstance(known, seen, nowMs));
  }
  return instances;
}

function rememberInstance(
  before: InstanceMemory | undefined,
  { answer, goneBefore, ended }: { answer: WorkerAnswer | undefined; goneBefore: boolean; ended: boolean },
  nowMs: number,
): InstanceMemory {
  const known = before ?? {
    firstSeenMs: nowMs,
    answeredMs: null,
    readyMs: null,
    drainingMs: null,
    terminatedMs: null,
    strayMs: null,
    endedByItself: false,
    unfit: null,
    rowsPerMs: null,
  };
  const answered = answer?.reachable === true;
  const hasStrays = answered ? answer.strayTasks.length > 0 : known.strayMs !== null;
  return {
    ...known,
    goneBefore,
    lastSeenMs: nowMs,
    answeredMs: answered ? nowMs : known.answeredMs,
    readyMs: answered && answer.ready ? nowMs : known.readyMs,
    strayMs: hasStrays ? (known.strayMs ?? nowMs) : null,
    endedByItself: known.endedByItself || (ended && known.terminatedMs === null),
  };
}

function rememberTasks({ memory, observation, state, nowMs, limits }: Tick): Map<string, TaskMemory> {
  const tasks = new Map<string, TaskMemory>();
  for (const range of state.open.values()) {
    if (range.status !== 'assigned') continue;
    const { instance, task } = range;
    const before = memory.tasks.get(task) ?? unheard(nowMs);
    // What the right worker says of a task.
    const answer = ownAnswer(observation.workers.get(instance), instance, limits.build);
    const seen = answer?.tasks[task] ?? null;
    tasks.set(task, seen === null ? before : rememberTask(keyKindOfRun(state), before, seen, nowMs));
  }
  return tasks;
}

function unheard(nowMs: number): TaskMemory {
  return {
    assignedMs: nowMs,
    status: null,
    runsSinceMs: null,
    movedMs: nowMs,
    progressedMs: nowMs,
    waitingSinceMs: null,
    cutRefusedMs: null,
    contradicted: false,
  };
}

function rememberTask(kind: KeyKind, before: TaskMemory, status: TaskStatus, nowMs: number): TaskMemory {
  const progressed = before.status === null || markOf(before.status) !== markOf(status);
  const moved = progressed || before.status?.waiting_for !== status.waiting_for;
  const waitsOn = status.waiting_for !== null && before.status?.waiting_for === status.waiting_for;
  return {
    ...before,
    status,
    movedMs: moved ? nowMs : before.movedMs,
    progressedMs: progressed ? nowMs : before.progressedMs,
    waitingSinceMs: status.waiting_for === null ? null : waitsOn ? (before.waitingSinceMs ?? nowMs) : nowMs,
    contradicted: before.contradicted || (before.status !== null && saysLess(kind, status, before.status)),
  };
}

/** Whether a status takes something back. What is settled stays settled, and what has ended stays ended. */
function saysLess(kind: KeyKind, status: TaskStatus, before: TaskStatus): boolean {
  const [now, then] = [status.settled_through, before.settled_through];
  const back =
    then !== null &&
    then !== now &&
    (now === null || kind.compare(keyFrom(kind, now), keyFrom(kind, then)) < 0);
  return back || status.rows_read < before.rows_read || (status.active && !before.active);
}

/** A mark that changes with any progress. Retries are no progress: a task that only tries again stands still. */
function markOf(status: TaskStatus): string {
  return `${status.settled_through}/${status.rows_read}/${status.active}`;
}
