import { buildWords } from '../../definition/build-words.ts';
import type { Draft } from './draft.ts';
import type { InstanceMemory } from './memory.ts';
import type { ObservedInstance, WorkerAnswer } from './observation.ts';

/** Why an instance can do no work, so that it must be replaced; null: it can, or may yet. */
export function faultOf(draft: Draft, { id, misfit }: ObservedInstance): string | null {
  const { nowMs, limits } = draft;
  const memory = draft.memory.instances.get(id);
  const answer = draft.observation.workers.get(id);
  if (memory === undefined) return null;
  if (misfit !== null) return misfit;
  if (memory.unfit !== null) return memory.unfit;
  if (answer?.reachable === true && answer.workerId !== id)
    return `the worker at its address calls itself ${answer.workerId}`;
  if (answer?.reachable === true && answer.build !== limits.build)
    return `it runs build ${buildWords(answer.build)}, this run is pinned to ${buildWords(limits.build)}`;
  if (draft.rangesOf(id).length > 0) return null;
  const drainsForNothing = answer?.reachable === true && answer.draining;
  if (drainsForNothing && nowMs - memory.firstSeenMs > limits.readyTimeoutMs)
    return 'it drains and has no work';
  const isLate = nowMs - (memory.readyMs ?? memory.firstSeenMs) > limits.readyTimeoutMs;
  return isLate ? unreadyWords(memory, answer, nowMs) : null;
}

/** What a person who must mend it can know of why it is not ready, and where to look. */
function unreadyWords(memory: InstanceMemory, answer: WorkerAnswer | undefined, nowMs: number): string {
  const since = (ms: number): string => `${Math.round((nowMs - ms) / 1000)} s`;
  const unready = since(memory.readyMs ?? memory.firstSeenMs);
  if (answer === undefined) return `it has not come up for ${unready}: look at its log`;
  if (answer.reachable) {
    const lacks = answer.unreachable.map((dependency) => `its ${dependency}`).join(' and ');
    const why = lacks === '' ? '' : `: it cannot reach ${lacks}`;
    return `it answers, but has not been ready for ${unready}${why}; look at its log`;
  }
  if (memory.answeredMs !== null)
    return `it has not been ready for ${unready} and has not answered for ${since(memory.answeredMs)} (${answer.error}): look at its log`;
  return `no worker has answered at its address for ${unready} (${answer.error}): look at its log, and whether the orchestrator is let through to that port`;
}
