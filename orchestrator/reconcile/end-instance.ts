import { type Draft, isDown, isForeign } from './draft.ts';
import { ownAnswer } from './observation.ts';
import type { AssignedRange } from './range-state.ts';
import type { Termination } from './state.ts';

/**
 * Ends an instance in order. Its worker is drained first, as far as one is there:
 *
 *   ready or working -> draining -> terminating
 *                          '----------> terminating, when `drainTimeoutMs` is over: whatever the worker does or says
 *
 * What draining before ending buys:
 *   - Nothing begins between the poll of this tick and the end. A task whose post had no answer, and comes late, is
 *     refused by the worker, so no bulk of it is under way when the machine goes.
 *   - The same holds for an orchestrator of an older epoch that still believes the worker to be its own: the drain tells
 *     the worker the present epoch, and closes it to tasks of any.
 *   - A run that is stopped accepts what its tasks have settled up to their last row, and not only up to the last poll:
 *     the tasks are cancelled, the worker says their final counts, and only then it is ended.
 *
 * A worker without a task has nothing to say: it is drained and ended within one tick. One that cannot be drained is
 * ended as it is.
 */
export function endInOrder(draft: Draft, instance: string, how: Termination): void {
  const ranges = draft.rangesOf(instance);
  const mayWait = ranges.length > 0 && isHeardOut(draft, instance);
  if (isWorkerThere(draft, instance)) drain(draft, instance, how.reason);
  if (mayWait) return cancel(draft, instance, ranges);
  endNow(draft, instance, how);
}

/** Ends an instance whose worker has nothing to say, or is not there. */
export function endNow(draft: Draft, instance: string, how: Termination): void {
  draft.record({ type: 'terminating', instance, ...how });
  draft.callFleet({ type: 'terminate', instance, decrement: how.decrement });
  draft.remember(instance, { terminatedMs: draft.nowMs });
}

/** What an instance's tasks come to can still be heard: its worker has answered, and is not drained for too long already. */
export function isHeardOut(draft: Draft, id: string): boolean {
  const { state, nowMs, limits } = draft;
  const instance = draft.instance(id);
  const memory = draft.memory.instances.get(id);
  if (instance === undefined || isDown(instance) || isForeign(instance, state)) return false;
  if (state.terminations[id] !== undefined || memory === undefined) return false;
  if (memory.answeredMs === null || memory.unfit !== null) return false;
  return nowMs - (memory.drainingMs ?? nowMs) < limits.drainTimeoutMs;
}

/** The worker that belongs there has answered in this tick: another one at its address is not to be drained. */
function isWorkerThere({ observation, limits }: Draft, instance: string): boolean {
  return ownAnswer(observation.workers.get(instance), instance, limits.build) !== null;
}

function drain(draft: Draft, instance: string, reason: string): void {
  if (draft.state.drains[instance] === undefined) draft.record({ type: 'draining', instance, reason });
  draft.effects.push({ type: 'drain', instance });
}

/** The clock of a drain begins when this process first decides on it. */
function cancel(draft: Draft, instance: string, ranges: readonly AssignedRange[]): void {
  const drainingMs = draft.memory.instances.get(instance)?.drainingMs ?? draft.nowMs;
  draft.remember(instance, { drainingMs });
  for (const { task } of ranges) draft.effects.push({ type: 'cancel_task', instance, task });
}
