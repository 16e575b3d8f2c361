import { type Draft, isDown } from './draft.ts';
import { endInOrder, endNow } from './end-instance.ts';
import { faultOf } from './instance-fault.ts';
import { lastWords } from './last-words.ts';
import type { InstanceMemory } from './memory.ts';
import type { ObservedInstance } from './observation.ts';
import { isDone, rangeCounts } from './state.ts';

/**
 * Brings the fleet to the size that the rest of the work needs.
 *
 *   instance: launching -> booting -> ready -> working -> draining -> terminating -> gone
 *                 |           |         |         |
 *                 '-----------'---------'---------'--> lost or unfit: terminated without decrement (replaced)
 *   A ready instance without work, when there is none to take from others: drained, and terminated with decrement, at most
 *   once ever. At the end of the pass, or when the run is stopped: each is drained, and terminated without decrement.
 */

/**
 * Sets the desired capacity to 0 first, so that nothing is replaced. Then ends each instance in order, without decrement.
 */
export function bringToZero(draft: Draft): void {
  if (draft.state.desired !== 0) draft.record({ type: 'desired_set', count: 0 });
  if (draft.observation.desired !== 0) draft.callFleet({ type: 'set_desired', count: 0 });
  const reason =
    draft.state.stopped ??
    (isDone(draft.state) ? 'all ranges are done' : 'an instance of another run is in the way');
  for (const { id } of liveInstances(draft))
    endInOrder(draft, id, { decrement: false, replaced: false, reason });
}

/** An earlier process has begun to drain them and could not end them: they take no work, so others come in their place. */
export function endDrained(draft: Draft): void {
  for (const { id } of liveInstances(draft)) {
    const reason = draft.state.drains[id];
    if (reason !== undefined) endInOrder(draft, id, { decrement: false, replaced: false, reason });
  }
}

/** The instances that are not down and that nobody has terminated yet. */
function liveInstances(draft: Draft): ObservedInstance[] {
  return draft.observation.instances.filter(
    (instance) => !isDown(instance) && draft.state.terminations[instance.id] === undefined,
  );
}

/**
 * Makes a call again whose effect does not show, never with a second decrement: the desired capacity is then set to a
 * number. A call that certainly did nothing is made again at once.
 */
export function terminateAgain(draft: Draft): void {
  for (const instance of draft.observation.instances) {
    if (isDown(instance) || draft.state.terminations[instance.id] === undefined) continue;
    const terminatedMs = draft.memory.instances.get(instance.id)?.terminatedMs ?? null;
    const isUnderWay = terminatedMs !== null && draft.nowMs - terminatedMs < draft.limits.terminateTimeoutMs;
    if (isUnderWay && !draft.observation.untold.has(instance.id)) continue;
    draft.remember(instance.id, { terminatedMs: draft.nowMs });
    draft.callFleet({ type: 'set_desired', count: draft.state.desired });
    draft.callFleet({ type: 'terminate', instance: instance.id, decrement: false });
  }
}

/** Terminates instances that can do no work. They will be replaced. */
export function replaceUnfit(draft: Draft): void {
  for (const instance of liveInstances(draft)) {
    const reason = faultOf(draft, instance);
    if (reason !== null) endNow(draft, instance.id, { decrement: false, replaced: true, reason });
  }
}

/** Lets ready workers go that have no work left. */
export function release(draft: Draft, surplus: readonly string[]): void {
  for (const id of surplus) {
    if (draft.state.terminations[id] === undefined)
      endInOrder(draft, id, { decrement: true, replaced: false, reason: 'no work left' });
  }
}

/** Raises the desired capacity to what the rest needs, within the limits of fleet, cloud and replacements. */
export function setDesired(draft: Draft): void {
  const { limits, observation } = draft;
  const { done, total } = rangeCounts(draft.state);
  const wanted = Math.min(limits.workers, draft.state.capacity?.workers ?? limits.workers, total - done);
  if (observation.launchFault !== null) return launchNoMore(draft, observation.launchFault);
  if (replacementsUsed(draft) > limits.replacements) return giveUpOnReplacements(draft);
  if (lacksCapacity(draft)) return goOnWithFewer(draft, wanted);
  if (draft.waits && wanted > draft.state.desired) {
    draft.record({ type: 'desired_set', count: wanted });
    draft.callFleet({ type: 'set_desired', count: wanted });
    return;
  }
  // A run may be carried on with fewer workers than it began with.
  const most = Math.max(limits.workers, liveInstances(draft).length);
  keepOnly(draft, Math.min(draft.state.desired, most));
}

/**
 * Launches no more, because a new instance would not match the run's pin. The run keeps its workers and replaces none.
 */
function launchNoMore(draft: Draft, fault: string): void {
  const { length } = liveInstances(draft);
  keepOnly(draft, length);
  if (length === 0) draft.stop(`${fault}; no worker of this run is left`);
}

/**
 * Sets the desired capacity to `count` from now on, and tells the group if it says something else. A number may be
 * repeated, but not in a tick with a decrement, which would count twice.
 */
function keepOnly(draft: Draft, count: number): void {
  if (draft.state.desired !== count) draft.record({ type: 'desired_set', count });
  const decrements = draft.effects.some((effect) => effect.type === 'terminate' && effect.decrement);
  if (!decrements && draft.observation.desired !== count) draft.callFleet({ type: 'set_desired', count });
}

/** Whether the group has had its time to launch what it was asked for. */
function lacksCapacity(draft: Draft): boolean {
  const { memory, nowMs } = draft;
  // Also if the group does not take a higher number: its maximum was lowered, or somebody else sets the desired
  // capacity.
  const isShort = liveInstances(draft).length < draft.state.desired;
  memory.shortSinceMs = isShort ? (memory.shortSinceMs ?? nowMs) : null;
  return isShort && nowMs - (memory.shortSinceMs ?? nowMs) > draft.limits.capacityTimeoutMs;
}

/**
 * Goes on with the instances that came, and asks the group for no more. With too few the run ends with the cloud's
 * reason.
 */
function goOnWithFewer(draft: Draft, wanted: number): void {
  const { limits, observation } = draft;
  const { length: workers } = liveInstances(draft);
  const seconds = Math.round(limits.capacityTimeoutMs / 1000);
  const words = observation.launchFailures[0]?.reason ?? 'the group reports no failed launch';
  const reason = `${workers} of ${draft.state.desired} instances came within ${seconds} s: ${words}`;
  draft.memory.shortSinceMs = null;
  if (workers < Math.max(1, Math.min(limits.minimum, wanted)))
    return draft.stop(`${reason}; workers.minimum asks for ${limits.minimum}`);
  draft.record({ type: 'capacity_limited', workers, reason });
  draft.callFleet({ type: 'set_desired', count: workers });
}

function replacementsUsed(draft: Draft): number {
  const ended = draft.memory.instances.values().filter(({ endedByItself }) => endedByItself);
  return draft.state.replacements + ended.toArray().length;
}

/** Goes on with the workers that have been ready. Without any, the run ends and says what became of the others. */
function giveUpOnReplacements(draft: Draft): void {
  const live = liveInstances(draft);
  const isProven = (memory: InstanceMemory | undefined): boolean => (memory?.readyMs ?? null) !== null;
  const proven = live.filter(({ id }) => isProven(draft.memory.instances.get(id)));
  keepOnly(draft, proven.length);
  const reason = `${draft.limits.replacements} replacements are used up`;
  for (const instance of live) {
    if (!proven.includes(instance)) endNow(draft, instance.id, { decrement: false, replaced: false, reason });
  }
  if (proven.length > 0) return;
  draft.stop([`no worker is left and ${reason}`, ...lastWords(draft)].join('; '));
}
