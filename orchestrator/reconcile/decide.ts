import { assignRanges } from './assign-ranges.ts';
import { Draft, type Effect, isDown, type Limits } from './draft.ts';
import type { RunEvent } from './events.ts';
import { type Memory, rememberTick } from './memory.ts';
import type { Observation } from './observation.ts';
import { scaleFleet } from './scale-fleet.ts';
import { settleTasks } from './settle-tasks.ts';
import type { RunState } from './state.ts';

export interface Decision {
  /** To be journalled before any effect. */
  readonly events: readonly RunEvent[];
  readonly effects: readonly Effect[];
  readonly memory: Memory;
  /** The pass is over and the fleet is at zero. */
  readonly finished: boolean;
}

/**
 * The run's decisions during a pass. Pure: the same state, memory, observation and time give the same decision.
 *
 * Each tick, in this order, each step on the state that the one before leaves:
 *   1. settle tasks: what ended, failed, was lost or stands still is accepted up to its last settled key;
 *   2. scale the fleet: lost or unfit instances are terminated and replaced, surplus ones let go, zero at the end;
 *   3. assign ranges: the longest waiting range to the worker with the least to do.
 */
export function decide(
  state: RunState,
  memory: Memory,
  observation: Observation,
  nowMs: number,
  limits: Limits,
): Decision {
  const draft = new Draft(state, rememberTick(memory, observation, assignedTasks(state), nowMs));
  settleTasks(draft, observation, nowMs, limits);
  const finished = isFinished(draft.state, observation);
  if (!finished) {
    scaleFleet(draft, observation, nowMs, limits);
    assignRanges(draft, observation, limits);
  }
  return { events: draft.events, effects: draft.effects, memory: draft.memory, finished };
}

function assignedTasks(state: RunState): Set<string> {
  return new Set(
    Object.values(state.ranges).flatMap((range) =>
      range.status === 'assigned' && range.task !== null ? [range.task] : [],
    ),
  );
}

/** Zero is desired 0, nothing pending, every instance of the fleet shutting down or gone. */
function isFinished(state: RunState, observation: Observation): boolean {
  const over =
    state.stopped !== null || Object.values(state.ranges).every((range) => range.status === 'done');
  return over && state.desired === 0 && observation.desired === 0 && observation.instances.every(isDown);
}
