import type { TaskRequest } from '../../worker/contract.ts';
import { Interrupted, messageOf } from '../errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { observeFleet } from '../fleet/observe.ts';
import { type WorkerClient, WorkerRefusal } from '../fleet/worker-client.ts';
import type { RunJournal } from '../journal/run-journal.ts';
import { decide } from '../reconcile/decide.ts';
import type { Effect, Limits } from '../reconcile/draft.ts';
import { emptyMemory, type Memory } from '../reconcile/memory.ts';
import type { Observation, TaskRefusal } from '../reconcile/observation.ts';
import { takeBackEvents } from '../reconcile/settle-tasks.ts';
import type { RangeState, RunState } from '../reconcile/state.ts';

export interface PassDependencies {
  readonly journal: RunJournal;
  readonly fleet: Fleet;
  readonly client: WorkerClient;
  readonly limits: Limits;
  readonly taskOf: (range: RangeState) => TaskRequest;
  readonly pollIntervalMs: number;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onTick: (state: RunState, memory: Memory, observation: Observation) => void;
  /** Ends the pass: a signal, or the lock was lost. */
  readonly signal: AbortSignal;
}

/**
 * One pass, tick by tick: observe, decide, journal, carry out. It ends when everything is settled or the run was
 * stopped, and in both cases only with the fleet at zero.
 */
export async function runPass(dependencies: PassDependencies): Promise<void> {
  const { journal, fleet, client, limits, signal } = dependencies;
  let memory = emptyMemory();
  let refusals: TaskRefusal[] = [];
  try {
    for (;;) {
      signal.throwIfAborted();
      const { observation, urls } = await observeFleet(fleet, client, journal.state, refusals);
      const decision = decide(journal.state, memory, observation, dependencies.monotonicMs(), limits);
      memory = decision.memory;
      await journal.append(decision.events);
      dependencies.onTick(journal.state, memory, observation);
      if (decision.finished) return;
      refusals = await carryOut(decision.effects, urls, dependencies);
      await dependencies.sleep(dependencies.pollIntervalMs, signal);
    }
  } catch (error) {
    // Only after a signal: who lost the lock must write nothing more.
    if (signal.reason instanceof Interrupted) await keepWhatIsSettled(journal, memory);
    throw error;
  }
}

/** Workers of this machine end with this process, so what they had settled by the last poll is kept now. */
async function keepWhatIsSettled(journal: RunJournal, memory: Memory): Promise<void> {
  await journal.append([
    ...takeBackEvents(journal.state, memory, 'the run was interrupted'),
    { type: 'desired_set', count: 0 },
  ]);
}

async function carryOut(
  effects: readonly Effect[],
  urls: ReadonlyMap<string, string>,
  dependencies: PassDependencies,
): Promise<TaskRefusal[]> {
  const results = await Promise.all(effects.map((effect) => carryOutOne(effect, urls, dependencies)));
  return results.filter((result) => result !== null);
}

/** What a call did is seen at the next tick; only a worker's refusal is kept, since nothing else shows it. */
async function carryOutOne(
  effect: Effect,
  urls: ReadonlyMap<string, string>,
  dependencies: PassDependencies,
): Promise<TaskRefusal | null> {
  const { fleet, journal } = dependencies;
  switch (effect.type) {
    case 'set_desired':
      await fleet.setDesired(effect.count);
      return null;
    case 'terminate':
      await fleet.terminate(effect.instance, { decrement: effect.decrement });
      return null;
    case 'post_task': {
      const range = journal.state.ranges[effect.range];
      const url = urls.get(effect.instance);
      return range === undefined || url === undefined ? null : postTask(dependencies, url, range);
    }
    default:
      return effect satisfies never;
  }
}

async function postTask(
  { client, taskOf }: PassDependencies,
  url: string,
  range: RangeState,
): Promise<TaskRefusal | null> {
  const task = taskOf(range);
  try {
    await client.post(url, task);
    return null;
  } catch (error) {
    const status = error instanceof WorkerRefusal ? error.status : 0;
    return { task: task.task_id, status, message: messageOf(error) };
  }
}
