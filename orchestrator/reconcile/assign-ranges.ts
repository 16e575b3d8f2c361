import { type Draft, isReady, type Limits } from './draft.ts';
import type { Observation } from './observation.ts';
import { nextFresh, type RangeState } from './state.ts';
import { workOf } from './work.ts';

/** One running and one waiting, so that a worker never idles between two polls. */
const TASKS_PER_WORKER = 2;

/**
 * Gives waiting ranges to ready workers, longest first, and posts again what a worker does not know.
 * Returns the ready workers that have nothing to do.
 */
export function assignRanges(draft: Draft, observation: Observation, limits: Limits): string[] {
  const ready = readyWorkers(draft, observation, limits);
  postUnknown(draft, observation, new Set(ready));
  const waiting = new WaitingRanges(draft);
  const loads = new Map(ready.map((instance) => [instance, draft.rangesOf(instance).length]));
  for (let load = 0; load < TASKS_PER_WORKER; load += 1) {
    for (const instance of ready) {
      if (loads.get(instance) !== load) continue;
      // The last ranges are not queued behind a busy worker: another may be idle sooner.
      if (load > 0 && waiting.count <= ready.length) break;
      const range = waiting.take();
      if (range === null) break;
      assign(draft, range, instance);
      loads.set(instance, load + 1);
    }
  }
  return ready.filter((instance) => loads.get(instance) === 0);
}

/** Those that came back, and those that were never given out, which are in order already: the longest of both is next. */
class WaitingRanges {
  readonly #draft: Draft;
  /** The longest last. */
  readonly #returned: RangeState[];

  constructor(draft: Draft) {
    this.#draft = draft;
    this.#returned = draft.openRanges
      .filter(({ status }) => status === 'waiting')
      .sort((a, b) => workOf(a) - workOf(b));
  }

  get count(): number {
    const { order, given } = this.#draft.state;
    return this.#returned.length + order.length - given;
  }

  take(): RangeState | null {
    const fresh = nextFresh(this.#draft.state);
    const returned = this.#returned.at(-1);
    if (returned === undefined || (fresh !== null && workOf(fresh) > workOf(returned))) return fresh;
    return this.#returned.pop() ?? null;
  }
}

function assign(draft: Draft, range: RangeState, instance: string): void {
  const attempt = range.attempt + 1;
  const task = `${draft.state.identity?.run}.${range.id}.${attempt}`;
  draft.record({ type: 'assigned', range: range.id, attempt, instance, task });
  draft.effects.push({ type: 'post_task', instance, range: range.id });
}

/** The same id and body again is no second task, so a post whose answer was lost is simply repeated. */
function postUnknown(draft: Draft, observation: Observation, ready: ReadonlySet<string>): void {
  for (const { id, status, instance, task } of draft.openRanges) {
    if (status !== 'assigned' || instance === null || task === null || !ready.has(instance)) continue;
    const answer = observation.workers.get(instance);
    if (answer?.reachable === true && answer.tasks[task] === null)
      draft.effects.push({ type: 'post_task', instance, range: id });
  }
}

function readyWorkers(draft: Draft, observation: Observation, limits: Limits): string[] {
  return observation.instances
    .filter((instance) => isReady(draft, instance, observation.workers.get(instance.id), limits.build))
    .map(({ id }) => id);
}
