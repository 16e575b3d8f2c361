import { type Draft, isDown, isForeign } from './draft.ts';
import { ownAnswer } from './observation.ts';

/**
 * Ends the tasks of adopted workers that the run does not know.
 *
 * A worker may have such a task when an earlier process gave it and its record is void: the target was lost and every
 * range is read again, or the range was taken back while nobody heard the worker. What it writes is no harm, but it takes
 * the worker's time and its place in the queue, and nobody waits for it. Tasks that the run knows are taken over with their
 * counts, as they are at any tick. A worker that does not let go of a task within `readyTimeoutMs` is replaced.
 */
export function endStrayTasks(draft: Draft): void {
  const { observation, state, limits, nowMs } = draft;
  for (const instance of observation.instances) {
    if (isDown(instance) || isForeign(instance, state) || state.terminations[instance.id] !== undefined)
      continue;
    const own = ownAnswer(observation.workers.get(instance.id), instance.id, limits.build);
    const [first] = own?.strayTasks ?? [];
    if (own === null || first === undefined) continue;
    for (const task of own.strayTasks)
      draft.effects.push({ type: 'cancel_task', instance: instance.id, task });
    const sinceMs = draft.memory.instances.get(instance.id)?.strayMs ?? nowMs;
    if (nowMs - sinceMs > limits.readyTimeoutMs)
      draft.markUnfit(
        instance.id,
        `it has not ended task ${first}, which this run does not know, for ${Math.round((nowMs - sinceMs) / 1000)} s`,
      );
  }
}
