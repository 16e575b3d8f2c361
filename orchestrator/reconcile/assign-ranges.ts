import { type Draft, isReady } from './draft.ts';
import type { RangeState } from './range-state.ts';
import { nextFresh } from './state.ts';
import { workOf } from './work.ts';

/** One task runs and one waits, so that a worker never idles between two polls. */
const TASKS_PER_WORKER = 2;

/**
 * Gives waiting ranges to ready workers, longest first. Posts a task again that its worker does not know. Returns the
 * ready workers that have nothing to do.
 */
export function assignRanges(draft: Draft): string[] {
  const ready = draft.observation.instances
    .filter((instance) => isReady(draft, instance))
    .map(({ id }) => id);
  postUnknown(draft, new Set(ready));
  const waiting = new WaitingRanges(draft);
  const loads = new Map(ready.map((instance) => [instance, draft.rangesOf(instance).length]));
  for (let load = 0; load < TASKS_PER_WORKER; load += 1) {
    for (const instance of ready) {
      if (loads.get(instance) !== load) continue;
      // The last ranges are not queued behind a busy worker: another may be idle sooner.
      if (load > 0 && waiting.count <= ready.length) break;
      const range = waiting.take();
      if (range === null) break;
      giveTo(draft, instance, range);
      loads.set(instance, load + 1);
    }
  }
  return ready.filter((instance) => loads.get(instance) === 0);
}

/**
 * Ranges that came back, and ranges that were never given out, which are already in order. The longest of both is next.
 */
class WaitingRanges {
  readonly #draft: Draft;
  /** Sorted, with the longest last. */
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

function giveTo(draft: Draft, instance: string, range: RangeState): void {
  const attempt = range.attempt + 1;
  const task = `${draft.state.identity?.run}.${range.id}.${attempt}`;
  draft.record({ type: 'assigned', range: range.id, attempt, instance, task });
  draft.effects.push({ type: 'post_task', instance, range: range.id });
}

/** Repeats a post whose answer was lost. The same id and body again make no second task. */
function postUnknown(draft: Draft, ready: ReadonlySet<string>): void {
  for (const { id, instance, task } of draft.assignedRanges) {
    if (!ready.has(instance)) continue;
    const answer = draft.observation.workers.get(instance);
    if (answer?.reachable === true && answer.tasks[task] === null)
      draft.effects.push({ type: 'post_task', instance, range: id });
  }
}
