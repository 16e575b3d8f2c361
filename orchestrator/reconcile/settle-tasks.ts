import { keyFrom } from '../../definition/key/key-kind.ts';
import { covers, endsAt, rangeFrom } from '../../definition/key/key-range.ts';
import type { TaskStatus } from '../../worker/contract.ts';
import { addCounts, addsUp, countsOf, NO_COUNTS } from './counts.ts';
import { noteCut } from './cut-range.ts';
import { type Draft, isDown } from './draft.ts';
import { isHeardOut } from './end-instance.ts';
import type { SettledEvent } from './events.ts';
import type { Memory, TaskMemory } from './memory.ts';
import { ownAnswer, type TaskRefusal } from './observation.ts';
import type { AssignedRange } from './range-state.ts';
import { keyKindOfRun, type RunState } from './state.ts';

/** Takes back every assigned range whose task has ended, failed, was refused, was lost, or stands still. */
export function settleTasks(draft: Draft): void {
  const { nowMs } = draft;
  const running = runningTasks(draft);
  for (const task of running) {
    // Its clock begins now. It may have waited long in the queue, and that was nobody's fault.
    if (draft.memory.tasks.get(task)?.runsSinceMs === null)
      draft.rememberTask(task, { runsSinceMs: nowMs, movedMs: nowMs, progressedMs: nowMs });
  }
  const refusals = new Map(draft.observation.refusals.map((refusal) => [refusal.task, refusal]));
  for (const { id } of draft.openRanges) {
    noteCut(draft, id, refusals);
    const range = draft.state.open.get(id);
    if (range?.status !== 'assigned') continue;
    settleRange(draft, { range, runs: running.has(range.task), refusal: refusals.get(range.task) });
  }
  stopAtDeadLetters(draft);
  if (draft.state.stopped !== null) takeBackUnheard(draft);
}

/**
 * A range with a task. `runs` is true for the one that its worker works on, and false for one that waits in the queue.
 */
interface Assigned {
  readonly range: AssignedRange;
  readonly runs: boolean;
  readonly refusal: TaskRefusal | undefined;
}

function settleRange(draft: Draft, { range, runs, refusal }: Assigned): void {
  const task = draft.taskOf(range);
  if (task?.contradicted === true) return settleContradicted(draft, range);
  const lost = lossOf(draft, range);
  if (lost !== null) {
    // For an instance that the run terminated itself, only the range that was charged then is at fault.
    const told = draft.state.terminations[range.instance] !== undefined;
    draft.markUnfit(range.instance, lost.reason);
    return giveBack(draft, range, { reason: lost.reason, charged: lost.known && runs && !told });
  }
  if (refusal?.call === 'post_task') return settleRefused(draft, range, refusal);
  const status = task?.status ?? null;
  if (status === null) return settleUnheard(draft, range);
  if (!addsUp(countsOf(status), passTargets(draft.state))) {
    return draft.stop(
      `task ${status.task_id} on ${range.instance} counts its rows wrongly: ${JSON.stringify(countsOf(status))}`,
    );
  }
  if (!status.active) return settleEnded(draft, range, status);
  if (runs) settleIfStuck(draft, range, status);
}

/**
 * Takes back a task whose worker said less than before. Nothing of it is believed, and its whole stretch is read again.
 */
function settleContradicted(draft: Draft, range: AssignedRange): void {
  const reason = `worker ${range.instance} contradicted its earlier reports on task ${range.task}`;
  draft.markUnfit(range.instance, reason);
  giveBack(draft, range, { reason, charged: true });
}

/**
 * Takes back a task that no worker ever reported on. It has no clock of its own, and its worker has had time to take
 * it.
 */
function settleUnheard(draft: Draft, range: AssignedRange): void {
  const { nowMs, limits } = draft;
  const sinceMs = draft.taskOf(range)?.assignedMs ?? nowMs;
  if (nowMs - sinceMs <= limits.readyTimeoutMs) return;
  const reason = `${range.instance} has not started its task within ${Math.round((nowMs - sinceMs) / 1000)} s`;
  draft.markUnfit(range.instance, reason);
  giveBack(draft, range, { reason, charged: false });
}

/** Why a range's worker is lost. Null when it is not. `known`: this process has seen the instance alive. */
function lossOf(draft: Draft, range: AssignedRange): { reason: string; known: boolean } | null {
  const { observation, nowMs, limits } = draft;
  const id = range.instance;
  const instance = draft.instance(id);
  const memory = draft.memory.instances.get(id);
  if (instance === undefined && observation.exact) return { reason: `worker ${id} is gone`, known: false };
  if (instance !== undefined && isDown(instance))
    return {
      reason: `worker ${id} has ended${instance.detail === null ? '' : `: ${instance.detail}`}`,
      known: true,
    };
  const silentSinceMs = memory?.answeredMs ?? memory?.firstSeenMs ?? draft.taskOf(range)?.assignedMs ?? nowMs;
  if (nowMs - silentSinceMs < limits.lostAfterMs) return null;
  return {
    reason: `worker ${id} has not answered for ${Math.round((nowMs - silentSinceMs) / 1000)} s`,
    known: memory !== undefined,
  };
}

function settleRefused(draft: Draft, range: AssignedRange, refusal: TaskRefusal): void {
  // A full queue, a missing answer or a draining worker passes by itself. The same task is posted again for a while.
  const passing = refusal.status === 429 || refusal.status === 503 || refusal.status === 0;
  if (passing) return settleUnheard(draft, range);
  const reason = `worker ${range.instance} refused the task (${refusal.status}): ${refusal.message}`;
  draft.markUnfit(range.instance, reason);
  giveBack(draft, range, { reason, charged: false });
}

function settleEnded(draft: Draft, range: AssignedRange, status: TaskStatus): void {
  const { error } = status;
  if (error === null) {
    if (status.end_index !== range.end) return settleElsewhere(draft, range, status);
    draft.record(settledEvent(range, status, { outcome: 'done', charged: false, reason: null }));
    return;
  }
  const reason = `${error.type}: ${error.message}`;
  giveBack(draft, range, { reason, charged: error.next === 'retry' });
  if (error.next === 'stop') draft.stop(reason);
}

/** Takes back a task that ended at a key that nobody asked for. What it says is not believed. */
function settleElsewhere(draft: Draft, range: AssignedRange, status: TaskStatus): void {
  const [said, asked] = [status.end_index, range.end].map((key) => key ?? 'the open end');
  const reason = `worker ${range.instance} ended task ${status.task_id} at ${said}, but its range ends at ${asked}`;
  draft.rememberTask(status.task_id, { contradicted: true });
  draft.markUnfit(range.instance, reason);
  giveBack(draft, range, { reason, charged: true });
}

function settleIfStuck(draft: Draft, range: AssignedRange, status: TaskStatus): void {
  const { nowMs, limits } = draft;
  const memory = draft.taskOf(range);
  if (memory === undefined) return;
  // Each change from waiting to work and back restarts both clocks. A task that only changes must not run for ever.
  const withoutProgressMs = nowMs - memory.progressedMs;
  if (withoutProgressMs > limits.waitingTimeoutMs + limits.stallTimeoutMs) {
    return draft.stop(
      `task ${status.task_id} has waited on and off for ${Math.round(withoutProgressMs / 1000)} s without progress${waitingWords(status)}; the run ends with the fleet at zero: give the same command again to resume it`,
    );
  }
  if (memory.waitingSinceMs !== null) {
    const waitedMs = nowMs - memory.waitingSinceMs;
    if (waitedMs > limits.waitingTimeoutMs) {
      draft.stop(
        `workers have waited ${Math.round(waitedMs / 1000)} s for the ${status.waiting_for}${waitingWords(status)}; the run ends with the fleet at zero: give the same command again to resume it`,
      );
    }
    return;
  }
  const stoodMs = nowMs - memory.movedMs;
  if (stoodMs <= limits.stallTimeoutMs) return;
  const reason = `no progress for ${Math.round(stoodMs / 1000)} s on ${range.instance}, ${placeWords(status)}`;
  draft.markUnfit(range.instance, reason);
  giveBack(draft, range, { reason, charged: true });
}

/** Where a task stands, so that a person finds the row. */
function placeWords({ settled_through: key }: TaskStatus): string {
  return key === null ? 'before its first row was settled' : `behind key ${key}`;
}

/** What the worker says of its waiting. Older workers say nothing. */
function waitingWords({ waiting_reason: reason = null }: TaskStatus): string {
  return reason === null ? '' : `: ${reason}`;
}

/** Accepts what is settled. The rest waits, is done if nothing is left, or has failed after its last attempt. */
function giveBack(draft: Draft, range: AssignedRange, why: { reason: string; charged: boolean }): void {
  const { limits } = draft;
  const status = believed(draft.state, range, draft.taskOf(range));
  const spent = why.charged && range.charged + 1 >= limits.attempts;
  const outcome = nothingLeft(draft.state, range, status) ? 'done' : spent ? 'failed' : 'rest_waits';
  draft.record(settledEvent(range, status, { outcome, ...why }));
  if (outcome === 'failed')
    draft.stop(`range ${range.id} failed ${limits.attempts} times, last: ${why.reason}`);
}

/** What the other tasks have settled their workers still say: they are drained. */
function takeBackUnheard(draft: Draft): void {
  const heard = new Set(
    draft.assignedRanges.filter((range) => isStillHeard(draft, range)).map(({ id }) => id),
  );
  for (const event of takeBackEvents(draft.state, draft.memory, 'the run was stopped'))
    if (!heard.has(event.range)) draft.record(event);
}

/** A worker that does not know the task has nothing to say of it. */
function isStillHeard(draft: Draft, { instance, task }: AssignedRange): boolean {
  const answer = ownAnswer(draft.observation.workers.get(instance), instance, draft.limits.build);
  return isHeardOut(draft, instance) && answer?.tasks[task] !== null;
}

/** Takes back every assigned range, with what its task had settled by the last answer. No attempt is charged. */
export function takeBackEvents(state: RunState, memory: Memory, reason: string): SettledEvent[] {
  return [...state.open.values()]
    .filter((range) => range.status === 'assigned')
    .map((range) => {
      const status = believed(state, range, memory.tasks.get(range.task));
      const outcome = nothingLeft(state, range, status) ? 'done' : 'rest_waits';
      return settledEvent(range, status, { outcome, charged: false, reason });
    });
}

/** Whether every key up to the range's end is settled, though the task did not live to report it. */
function nothingLeft(state: RunState, range: AssignedRange, status: TaskStatus | null): boolean {
  if (status === null) return false;
  if (!status.active && status.error === null && status.end_index === range.end) return true;
  if (status.settled_through === null) return false;
  const kind = keyKindOfRun(state);
  return endsAt(kind, rangeFrom(kind, range), keyFrom(kind, status.settled_through));
}

function settledEvent(
  range: AssignedRange,
  status: TaskStatus | null,
  why: Pick<SettledEvent, 'outcome' | 'charged' | 'reason'>,
): SettledEvent {
  return {
    type: 'settled',
    range: range.id,
    task: range.task,
    through: status?.settled_through ?? null,
    counts: status === null ? NO_COUNTS : countsOf(status),
    ...why,
  };
}

/**
 * Of each worker's tasks, the one that runs: the one that has read most, or was accepted first. Only it has a clock.
 */
function runningTasks(draft: Draft): Set<string> {
  const running = new Map<string, TaskStatus>();
  for (const range of draft.assignedRanges) {
    const status = draft.taskOf(range)?.status ?? null;
    if (status === null) continue;
    const other = running.get(range.instance);
    if (other === undefined || runsBefore(status, other)) running.set(range.instance, status);
  }
  return new Set([...running.values()].map((status) => status.task_id));
}

function runsBefore(a: TaskStatus, b: TaskStatus): boolean {
  if (a.active !== b.active) return a.active;
  if (a.rows_read !== b.rows_read) return a.rows_read > b.rows_read;
  return Date.parse(a.start_time) < Date.parse(b.start_time);
}

/**
 * What may be accepted of a status. Nothing is accepted if the counts do not add up or the task was contradicted.
 * Nothing outside of the range is accepted, because a cut may have given it away.
 */
function believed(state: RunState, range: AssignedRange, task: TaskMemory | undefined): TaskStatus | null {
  const status = task?.contradicted === false ? task.status : null;
  if (status === null || !addsUp(countsOf(status), passTargets(state))) return null;
  if (status.settled_through === null) return status;
  const kind = keyKindOfRun(state);
  return covers(kind, rangeFrom(kind, range), keyFrom(kind, status.settled_through)) ? status : null;
}

function passTargets({ pass }: RunState): readonly string[] {
  return pass?.targets ?? [];
}

function stopAtDeadLetters(draft: Draft): void {
  const { limits } = draft;
  const running = draft.assignedRanges
    .map((range) => draft.taskOf(range)?.status ?? null)
    .filter((status) => status !== null)
    .map(countsOf);
  const counts = running.reduce(addCounts, draft.state.counts);
  for (const { index, deadLetters } of counts.targets) {
    // A target without a limit may have no dead letters.
    const stopLimit = limits.stopLimits[index] ?? 0;
    if (deadLetters > stopLimit) {
      draft.stop(
        `rows that could not become documents: ${deadLetters}, more than the definition's stop_limit of ${stopLimit}`,
      );
    }
  }
}
