import { type Draft, isDown, isForeign, type Limits } from './draft.ts';
import type { Observation } from './observation.ts';
import type { RangeState } from './state.ts';

/** One running and one waiting, so that a worker never idles between two polls. */
const TASKS_PER_WORKER = 2;

/** Gives waiting ranges to ready workers, longest first, and posts again what a worker does not know. */
export function assignRanges(draft: Draft, observation: Observation, limits: Limits): void {
  if (draft.state.stopped !== null) return;
  const ready = readyWorkers(draft, observation, limits);
  postUnknown(draft, observation, ready);
  const waiting = draft.ranges.filter((range) => range.status === 'waiting').sort((a, b) => b.rows - a.rows);
  for (let load = 0; load < TASKS_PER_WORKER; load += 1) {
    for (const instance of ready) {
      if (draft.rangesOf(instance).length !== load) continue;
      // The last ranges are not queued behind a busy worker: another may be idle sooner.
      if (load > 0 && waiting.length <= ready.length) return;
      const range = waiting.shift();
      if (range === undefined) return;
      assign(draft, range, instance);
    }
  }
}

function assign(draft: Draft, range: RangeState, instance: string): void {
  const attempt = range.attempt + 1;
  const task = `${draft.state.identity?.run}.${range.id}.${attempt}`;
  draft.record({ type: 'assigned', range: range.id, attempt, instance, task });
  draft.effects.push({ type: 'post_task', instance, range: range.id });
}

/** The same id and body again is no second task, so a post whose answer was lost is simply repeated. */
function postUnknown(draft: Draft, observation: Observation, ready: readonly string[]): void {
  for (const range of draft.ranges) {
    if (
      range.status !== 'assigned' ||
      range.instance === null ||
      range.task === null ||
      !ready.includes(range.instance)
    )
      continue;
    const answer = observation.workers[range.instance];
    if (answer?.reachable === true && answer.tasks[range.task] === null) {
      draft.effects.push({ type: 'post_task', instance: range.instance, range: range.id });
    }
  }
}

function readyWorkers(draft: Draft, observation: Observation, limits: Limits): string[] {
  return observation.instances
    .filter(
      (instance) =>
        !isDown(instance) &&
        !isForeign(instance, draft.state) &&
        draft.state.terminations[instance.id] === undefined,
    )
    .filter((instance) => {
      const answer = observation.workers[instance.id];
      const fit = draft.memory.instances[instance.id]?.unfit === null;
      return (
        fit &&
        answer?.reachable === true &&
        answer.ready &&
        answer.build === limits.build &&
        answer.workerId === instance.id
      );
    })
    .map((instance) => instance.id);
}
