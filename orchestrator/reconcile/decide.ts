import { noteInstances, noteVanished, stopAtMostCost } from './account-instances.ts';
import { endStrayTasks } from './adopt-workers.ts';
import { assignRanges } from './assign-ranges.ts';
import { shareRest } from './cut-range.ts';
import { Draft, type Effect, isDown, isForeign } from './draft.ts';
import type { RunEvent } from './events.ts';
import type { Memory } from './memory.ts';
import { bringToZero, endDrained, release, replaceUnfit, setDesired, terminateAgain } from './scale-fleet.ts';
import { settleTasks } from './settle-tasks.ts';
import { isDone } from './state.ts';
import type { Tick } from './tick.ts';

export interface Decision {
  /** The events to journal before any effect. */
  readonly events: readonly RunEvent[];
  readonly effects: readonly Effect[];
  readonly memory: Memory;
  /** True when the pass is over and the fleet is at zero. */
  readonly finished: boolean;
}

/**
 * The run's decisions during a pass. Pure: the same tick gives the same decision.
 *
 * Each tick, in this order, each step on the state that the one before leaves:
 *   0. note when instances were launched and ended, for what they cost;
 *   1. settle tasks: what ended, failed, was lost or stands still is accepted up to its last settled key;
 *   2. over (also when it has cost what it may), or somebody else's instance in the way: bring the fleet to zero; else
 *   3. end tasks that adopted workers have and the run does not know; replace instances that are lost or unfit;
 *   4. assign ranges: the longest waiting range to the worker with the least to do;
 *   5. share the rest: nothing waits and a worker is idle, so a running range is cut;
 *   6. let idle workers go that got nothing, and ask for as many as the rest needs.
 */
export function decide(tick: Tick): Decision {
  const draft = new Draft(tick);
  noteInstances(draft);
  settleTasks(draft);
  stopAtMostCost(draft);
  const finished = isFinished(draft);
  if (finished) noteVanished(draft);
  else scale(draft);
  return { events: draft.events, effects: draft.effects, memory: draft.memory, finished };
}

function scale(draft: Draft): void {
  terminateAgain(draft);
  if (isOver(draft) || hasForeign(draft)) return bringToZero(draft);
  endStrayTasks(draft);
  replaceUnfit(draft);
  endDrained(draft);
  const idle = assignRanges(draft);
  const surplus = shareRest(draft, idle);
  release(draft, surplus);
  setDesired(draft);
}

/** Whether everything is done, or the run was stopped. */
function isOver({ state }: Draft): boolean {
  return state.stopped !== null || isDone(state);
}

function hasForeign({ observation, state }: Draft): boolean {
  return observation.instances.some((instance) => isForeign(instance, state) && !isDown(instance));
}

/**
 * Whether the fleet is at zero: desired 0, nothing pending, every instance shutting down or gone, and no call under
 * way.
 */
function isFinished(draft: Draft): boolean {
  const { state, memory, observation, nowMs, limits } = draft;
  const atZero = state.desired === 0 && observation.desired === 0 && observation.instances.every(isDown);
  return isOver(draft) && atZero && nowMs - memory.fleetCallMs >= limits.zeroQuietMs;
}
