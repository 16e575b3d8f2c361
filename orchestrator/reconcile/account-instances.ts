import type { Billing } from './billing.ts';
import { type Draft, isDown, isForeign } from './draft.ts';
import type { RunEvent } from './events.ts';
import { type InstanceTimes, isDone, type RunState } from './state.ts';

/** Records when each instance of the run was launched and when it ended, by the fleet's own clock. */
export function noteInstances(draft: Draft): void {
  const { observation } = draft;
  for (const instance of observation.instances) {
    const { id, launchedAt } = instance;
    if (launchedAt === null || isForeign(instance, draft.state)) continue;
    const known = draft.state.instances.get(id);
    // An instance that a stale look had missed is there again.
    const isBack = known?.seen === false && !isDown(instance);
    if (known === undefined || isBack)
      draft.record({ type: 'instance_launched', instance: id, at: launchedAt });
    if (!isDown(instance) || draft.state.instances.get(id)?.endedAt !== null) continue;
    const at = instance.endedAt ?? observation.at;
    draft.record({ type: 'instance_ended', instance: id, at, seen: true });
  }
  noteUnseen(draft);
}

/**
 * Records the end of an instance that no look has shown for long, or no look of this process. It costs no more from
 * here on.
 */
function noteUnseen(draft: Draft): void {
  for (const [instance, { endedAt }] of draft.state.instances)
    if (endedAt === null && !draft.memory.instances.has(instance))
      draft.record({ type: 'instance_ended', instance, at: draft.observation.at, seen: false });
}

/** Records the end of every instance that was never seen to end. The fleet is at zero, so they have all ended. */
export function noteVanished(draft: Draft): void {
  for (const [instance, { endedAt }] of draft.state.instances)
    if (endedAt === null)
      draft.record({ type: 'instance_ended', instance, at: draft.observation.at, seen: false });
}

/** Records that instances have ended at `at`, because they end with the process that drives them. */
export function endWithProcess({ instances }: Pick<RunState, 'instances'>, at: string): RunEvent[] {
  return [...instances].flatMap(([instance, { endedAt }]) =>
    endedAt === null ? [{ type: 'instance_ended', instance, at, seen: true } as const] : [],
  );
}

export interface InstanceUse {
  /** The billed seconds of all instances together. */
  readonly seconds: number;
  readonly instances: number;
  /** False when some instances were only found gone. Then the seconds are the most that it can have been. */
  readonly exact: boolean;
}

/** What a run's instances have used up to `at`. */
export function instanceUse(
  { instances }: Pick<RunState, 'instances'>,
  at: string,
  billing: Billing,
): InstanceUse {
  const times = [...instances.values()];
  const atMs = Date.parse(at);
  return {
    seconds: times.reduce((sum, time) => sum + billedSeconds(time, atMs, billing), 0),
    instances: times.length,
    exact: times.every(({ seen }) => seen),
  };
}

/** The least that so many instances use if each lives for `seconds`. */
export function leastUse(instances: number, seconds: number, { leastSeconds }: Billing): InstanceUse {
  return { seconds: instances * Math.max(leastSeconds, seconds), instances, exact: true };
}

function billedSeconds(
  { launchedAt, endedAt }: InstanceTimes,
  atMs: number,
  { leastSeconds }: Billing,
): number {
  const endMs = endedAt === null ? atMs : Date.parse(endedAt);
  const seconds = (endMs - Date.parse(launchedAt)) / 1000;
  return Math.max(leastSeconds, seconds);
}

/**
 * Stops the run before it costs more than it may. The fleet goes to zero, and what is settled stays. A run that is done
 * is not stopped.
 */
export function stopAtMostCost(draft: Draft): void {
  const { state, observation, limits } = draft;
  if (limits.mostInstanceSeconds === null || isDone(state)) return;
  const { seconds } = instanceUse(state, observation.at, limits.billing);
  if (seconds < limits.mostInstanceSeconds) return;
  draft.stop(
    `the run's instances have lived for ${Math.round(seconds)} s together, and --max-cost allows no more: the same command with a higher --max-cost carries the run on`,
  );
}

/** How many of a run's instances were not seen to end. */
export function instancesLeft({ instances }: Pick<RunState, 'instances'>): number {
  return [...instances.values()].filter(({ endedAt }) => endedAt === null).length;
}

/**
 * How many workers the run has lost in all its passes. These are the workers that it replaced (never ready, not
 * answering, another build or image), and the workers that it did not end. Those ended by themselves or from outside:
 * the cloud took them back, their lease ran out, or a sweep ended them while no process drove the run.
 */
export function workersLost({
  instances,
  terminations,
}: Pick<RunState, 'instances' | 'terminations'>): number {
  const replaced = Object.values(terminations).filter((termination) => termination.replaced);
  const unasked = [...instances].filter(
    ([id, { endedAt }]) => endedAt !== null && !Object.hasOwn(terminations, id),
  );
  return replaced.length + unasked.length;
}
