import { buildWords } from '../../definition/build-words.ts';
import type { Draft } from './draft.ts';
import type { InstanceMemory } from './memory.ts';
import type { ObservedInstance, WorkerAnswer } from './observation.ts';

/** Why an instance can do no work and must be replaced. Null when it can work, or may yet. */
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
    return `it runs build ${buildWords(answer.build)}, but this run is pinned to ${buildWords(limits.build)}`;
  if (draft.rangesOf(id).length > 0) return null;
  const drainsForNothing = answer?.reachable === true && answer.draining;
  if (drainsForNothing && nowMs - memory.firstSeenMs > limits.readyTimeoutMs)
    return 'it takes no new work and has none';
  const isLate = nowMs - (memory.readyMs ?? memory.firstSeenMs) > limits.readyTimeoutMs;
  return isLate ? unreadyWords(memory, answer, nowMs) : null;
}

/** Says why an instance is not ready, as far as that is known, and where a person should look. */
function unreadyWords(memory: InstanceMemory, answer: WorkerAnswer | undefined, nowMs: number): string {
  const since = (ms: number): string => `${Math.round((nowMs - ms) / 1000)} s`;
  const unready = since(memory.readyMs ?? memory.firstSeenMs);
  if (answer === undefined) return `it has not started within ${unready}: look at its log`;
  if (answer.reachable) {
    const lacks = answer.unreachable.map((dependency) => `its ${dependency}`).join(' and ');
    const why = lacks === '' ? '' : `: it cannot reach ${lacks}`;
    return `it answers, but has not been ready for ${unready}${why}; look at its log`;
  }
  if (memory.answeredMs !== null)
    return `it has not been ready for ${unready} and has not answered for ${since(memory.answeredMs)} (${answer.error}): look at its log`;
  return `no worker has answered at its address for ${unready} (${answer.error}): look at its log, and check that the network lets the orchestrator through to that port`;
}
