import type { Billing } from './billing.ts';
import { type Draft, isDown, isForeign } from './draft.ts';
import type { RunEvent } from './events.ts';
import { type InstanceTimes, isDone, type RunState } from './state.ts';

/** Records when each instance of the run was launched and when it ended, as far as the fleet's own clock says so. */
export function noteInstances(draft: Draft): void {
  const { observation } = draft;
  for (const instance of observation.instances) {
    const { id, launchedAt } = instance;
    if (launchedAt === null || isForeign(instance, draft.state)) continue;
    const known = draft.state.instances.get(id);
    // One that was missed by a look that was stale is there again.
    const isBack = known?.seen === false && !isDown(instance);
    if (known === undefined || isBack)
      draft.record({ type: 'instance_launched', instance: id, at: launchedAt });
    if (!isDown(instance) || draft.state.instances.get(id)?.endedAt !== null) continue;
    const at = instance.endedAt ?? observation.at;
    draft.record({ type: 'instance_ended', instance: id, at, seen: true });
  }
  noteUnseen(draft);
}

/** What no look has shown for long, or none of this process, has ended by now: it costs no more from here on. */
function noteUnseen(draft: Draft): void {
  for (const [instance, { endedAt }] of draft.state.instances)
    if (endedAt === null && !draft.memory.instances.has(instance))
      draft.record({ type: 'instance_ended', instance, at: draft.observation.at, seen: false });
}

/** When the fleet is at zero, whatever was never seen to end has ended by now. */
export function noteVanished(draft: Draft): void {
  for (const [instance, { endedAt }] of draft.state.instances)
    if (endedAt === null)
      draft.record({ type: 'instance_ended', instance, at: draft.observation.at, seen: false });
}

/** Instances that end with the process that drives them have ended at `at`. */
export function endWithProcess({ instances }: Pick<RunState, 'instances'>, at: string): RunEvent[] {
  return [...instances].flatMap(([instance, { endedAt }]) =>
    endedAt === null ? [{ type: 'instance_ended', instance, at, seen: true } as const] : [],
  );
}

export interface InstanceUse {
  /** Billed seconds of all instances together. */
  readonly seconds: number;
  readonly instances: number;
  /** False: some instances were only found gone, and the seconds are the most that it can have been. */
  readonly exact: boolean;
}

/** What a run's instances have used by `at`. */
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

/** What so many instances use at least that all live for `seconds`. */
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

/** Ends the run before it costs more than it may: at zero, with what is settled kept. Not when all is done. */
export function stopAtMostCost(draft: Draft): void {
  const { state, observation, limits } = draft;
  if (limits.mostInstanceSeconds === null || isDone(state)) return;
  const { seconds } = instanceUse(state, observation.at, limits.billing);
  if (seconds < limits.mostInstanceSeconds) return;
  draft.stop(
    `the run's instances have been used for ${Math.round(seconds)} s together, which is all that --max-cost allows: the same command with a higher one carries it on`,
  );
}

/** How many of a run's instances were not seen to end. */
export function instancesLeft({ instances }: Pick<RunState, 'instances'>): number {
  return [...instances.values()].filter(({ endedAt }) => endedAt === null).length;
}

/**
 * How many workers the run has lost in all its passes: those that it ended to have others in their place (never ready, not
 * answering, another build or image), and those that it did not end at all. They have ended by themselves, or from
 * outside: because the cloud took them back, by their lease or by a sweep while no process drove the run.
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
