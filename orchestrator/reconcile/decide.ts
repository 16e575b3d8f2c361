import { noteInstances, noteVanished, stopAtMostCost } from './account-instances.ts';
import { assignRanges } from './assign-ranges.ts';
import { shareRest } from './cut-range.ts';
import { Draft, type Effect, isDown, isForeign, type Limits } from './draft.ts';
import type { RunEvent } from './events.ts';
import { type Memory, rememberTick } from './memory.ts';
import type { Observation } from './observation.ts';
import { bringToZero, release, replaceUnfit, setDesired, terminateAgain } from './scale-fleet.ts';
import { settleTasks } from './settle-tasks.ts';
import { isDone, type RunState } from './state.ts';

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
 *   0. note when instances were launched and ended, for what they cost;
 *   1. settle tasks: what ended, failed, was lost or stands still is accepted up to its last settled key;
 *   2. over (also when it has cost what it may), or somebody else's instance in the way: bring the fleet to zero; else
 *   3. replace instances that are lost or unfit;
 *   4. assign ranges: the longest waiting range to the worker with the least to do;
 *   5. share the rest: nothing waits and a worker is idle, so a running range is cut;
 *   6. let idle workers go that got nothing, and ask for as many as the rest needs.
 */
export function decide(
  state: RunState,
  memory: Memory,
  observation: Observation,
  nowMs: number,
  limits: Limits,
): Decision {
  const remembered = rememberTick(memory, observation, state, nowMs, limits.build);
  const draft = new Draft(state, remembered, observation, nowMs);
  noteInstances(draft, observation);
  settleTasks(draft, observation, nowMs, limits);
  stopAtMostCost(draft, observation, limits);
  const finished = isFinished(draft, observation, nowMs, limits);
  if (finished) noteVanished(draft, observation);
  else scale(draft, observation, nowMs, limits);
  return { events: draft.events, effects: draft.effects, memory: draft.memory, finished };
}

function scale(draft: Draft, observation: Observation, nowMs: number, limits: Limits): void {
  terminateAgain(draft, observation, nowMs, limits);
  if (isOver(draft) || hasForeign(draft, observation)) return bringToZero(draft, observation, nowMs);
  replaceUnfit(draft, observation, nowMs, limits);
  const idle = assignRanges(draft, observation, limits);
  const surplus = shareRest(draft, observation, idle, nowMs, limits);
  release(draft, surplus, nowMs);
  setDesired(draft, observation, nowMs, limits);
}

/** Everything is done, or the run was stopped. */
function isOver(draft: Draft): boolean {
  return draft.state.stopped !== null || isDone(draft.state);
}

function hasForeign(draft: Draft, observation: Observation): boolean {
  return observation.instances.some((instance) => isForeign(instance, draft.state) && !isDown(instance));
}

/** Zero is desired 0, nothing pending, every instance of the fleet shutting down or gone; and no call still under way. */
function isFinished(draft: Draft, observation: Observation, nowMs: number, limits: Limits): boolean {
  const atZero =
    draft.state.desired === 0 && observation.desired === 0 && observation.instances.every(isDown);
  return isOver(draft) && atZero && nowMs - draft.memory.fleetCallMs >= limits.zeroQuietMs;
}
