import { type Draft, isDown, isForeign, type Limits } from './draft.ts';
import { withInstance } from './memory.ts';
import type { ObservedInstance, Observation, WorkerAnswer } from './observation.ts';

/**
 * Brings the fleet to the size that the rest of the work needs.
 *
 *   instance: launching -> booting -> ready -> working -> terminating -> gone
 *                 |           |         |         |
 *                 '-----------'---------'---------'--> lost or unfit: terminated without decrement (replaced)
 *   A ready instance without work, when no range waits: terminated with decrement, at most once ever.
 */
export function scaleFleet(draft: Draft, observation: Observation, nowMs: number, limits: Limits): void {
  terminateAgain(draft, observation, nowMs, limits);
  if (
    isOver(draft) ||
    observation.instances.some((instance) => isForeign(instance, draft.state) && !isDown(instance))
  ) {
    return bringToZero(draft, observation, nowMs);
  }
  for (const instance of liveInstances(draft, observation)) {
    const fault = faultOf(draft, instance, observation.workers[instance.id], nowMs, limits);
    if (fault !== null)
      terminate(draft, instance, { decrement: false, replaced: true, reason: fault, nowMs });
    else if (isSurplus(draft, instance, observation))
      terminate(draft, instance, { decrement: true, replaced: false, reason: 'no work left', nowMs });
  }
  setDesired(draft, observation, nowMs, limits);
}

/** Everything is done, or the run was stopped. */
function isOver(draft: Draft): boolean {
  return draft.state.stopped !== null || draft.ranges.every((range) => range.status === 'done');
}

/** Desired 0 first, so that nothing is replaced, then each instance without decrement. */
function bringToZero(draft: Draft, observation: Observation, nowMs: number): void {
  if (draft.state.desired !== 0) draft.record({ type: 'desired_set', count: 0 });
  if (observation.desired !== 0) draft.effects.push({ type: 'set_desired', count: 0 });
  const reason =
    draft.state.stopped ??
    (isOver(draft) ? 'all ranges are done' : 'an instance of another run is in the way');
  for (const instance of liveInstances(draft, observation))
    terminate(draft, instance, { decrement: false, replaced: false, reason, nowMs });
}

/** Instances that are not down and that nobody has terminated yet. */
function liveInstances(draft: Draft, observation: Observation): ObservedInstance[] {
  return observation.instances.filter(
    (instance) => !isDown(instance) && draft.state.terminations[instance.id] === undefined,
  );
}

interface Termination {
  readonly decrement: boolean;
  /** Another is expected in its place. */
  readonly replaced: boolean;
  readonly reason: string;
  readonly nowMs: number;
}

function terminate(draft: Draft, instance: ObservedInstance, how: Termination): void {
  const { nowMs, ...why } = how;
  draft.record({ type: 'terminating', instance: instance.id, ...why });
  draft.effects.push({ type: 'terminate', instance: instance.id, decrement: how.decrement });
  draft.memory = withInstance(draft.memory, instance.id, { terminatedMs: nowMs });
}

/** A call whose effect does not show is made again, never with a second decrement: desired is then set outright. */
function terminateAgain(draft: Draft, observation: Observation, nowMs: number, limits: Limits): void {
  for (const instance of observation.instances) {
    if (isDown(instance) || draft.state.terminations[instance.id] === undefined) continue;
    const terminatedMs = draft.memory.instances[instance.id]?.terminatedMs ?? null;
    if (terminatedMs !== null && nowMs - terminatedMs < limits.terminateTimeoutMs) continue;
    draft.memory = withInstance(draft.memory, instance.id, { terminatedMs: nowMs });
    draft.effects.push(
      { type: 'set_desired', count: draft.state.desired },
      { type: 'terminate', instance: instance.id, decrement: false },
    );
  }
}

/** Why an instance must be replaced; null: it need not. */
function faultOf(
  draft: Draft,
  instance: ObservedInstance,
  answer: WorkerAnswer | undefined,
  nowMs: number,
  limits: Limits,
): string | null {
  const memory = draft.memory.instances[instance.id];
  if (memory === undefined) return null;
  if (memory.unfit !== null) return memory.unfit;
  if (answer?.reachable === true && answer.workerId !== instance.id)
    return `the worker at its address calls itself ${answer.workerId}`;
  if (answer?.reachable === true && answer.build !== limits.build) {
    return `it runs build ${answer.build.slice(0, 12)}, this run is pinned to ${limits.build.slice(0, 12)}`;
  }
  if (draft.rangesOf(instance.id).length > 0) return null;
  const unreadyMs = nowMs - (memory.readyMs ?? memory.firstSeenMs);
  return unreadyMs > limits.readyTimeoutMs
    ? `it has not been ready for ${Math.round(unreadyMs / 1000)} s`
    : null;
}

/** Ready, idle, and nothing waits that it could take. */
function isSurplus(draft: Draft, instance: ObservedInstance, observation: Observation): boolean {
  if (draft.ranges.some((range) => range.status === 'waiting') || draft.rangesOf(instance.id).length > 0)
    return false;
  return observation.workers[instance.id]?.reachable === true;
}

/** Raises what is wanted to what the rest needs, as far as the budget for replacements goes. */
function setDesired(draft: Draft, observation: Observation, nowMs: number, limits: Limits): void {
  const wanted = Math.min(limits.workers, draft.ranges.filter((range) => range.status !== 'done').length);
  if (replacementsUsed(draft) > limits.replacements)
    return giveUpOnReplacements(draft, observation, nowMs, limits);
  const waiting = draft.ranges.some((range) => range.status === 'waiting');
  if (waiting && wanted > draft.state.desired) {
    draft.record({ type: 'desired_set', count: wanted });
    draft.effects.push({ type: 'set_desired', count: wanted });
    return;
  }
  // The group answers something else than what was last asked for: an absolute value is safe to repeat. Not in a
  // tick with a decrement of its own, which would count twice.
  const decrements = draft.effects.some((effect) => effect.type === 'terminate' && effect.decrement);
  if (!decrements && observation.desired !== draft.state.desired)
    draft.effects.push({ type: 'set_desired', count: draft.state.desired });
}

function replacementsUsed(draft: Draft): number {
  const ended = Object.values(draft.memory.instances).filter((instance) => instance.endedByItself).length;
  return draft.state.replacements + ended;
}

/** Goes on with the workers that have proved themselves; without any, the run ends with the last words of one. */
function giveUpOnReplacements(draft: Draft, observation: Observation, nowMs: number, limits: Limits): void {
  const live = liveInstances(draft, observation);
  const replaced = lastReplacement(draft);
  const proven = live.filter((instance) => (draft.memory.instances[instance.id]?.readyMs ?? null) !== null);
  if (proven.length !== draft.state.desired) {
    draft.record({ type: 'desired_set', count: proven.length });
    draft.effects.push({ type: 'set_desired', count: proven.length });
  }
  const reason = `${limits.replacements} replacements are used up`;
  for (const instance of live) {
    if (!proven.includes(instance))
      terminate(draft, instance, { decrement: false, replaced: false, reason, nowMs });
  }
  if (proven.length > 0) return;
  const words = observation.instances.findLast((instance) => instance.detail !== null)?.detail ?? null;
  const why = words === null ? replaced : `; the last worker said: ${words}`;
  draft.stop(`no worker is left and ${reason}${why}`);
}

/** Why the last worker that did not end by itself was replaced; empty if none was. */
function lastReplacement({ state }: Draft): string {
  const last = Object.entries(state.terminations).at(-1);
  return last === undefined ? '' : `; worker ${last[0]} was replaced because ${last[1].reason}`;
}
