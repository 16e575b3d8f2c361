import type { TaskRequest } from '../../worker/contract.ts';
import type { Clock } from '../clock.ts';
import { Interrupted, messageOf, Superseded, Throttled } from '../errors.ts';
import { emptyFleet } from '../fleet/empty-fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { drainEach, NOTHING_REFUSED, type Outcome } from '../fleet/observe.ts';
import { type WorkerCalls, WorkerRefusal } from '../fleet/worker-client.ts';
import type { RunJournal } from '../journal/run-journal.ts';
import { endWithProcess } from '../reconcile/account-instances.ts';
import { decide } from '../reconcile/decide.ts';
import type { Effect } from '../reconcile/draft.ts';
import { emptyMemory, type Memory } from '../reconcile/memory.ts';
import type { Observation, TaskRefusal } from '../reconcile/observation.ts';
import type { AssignedRange } from '../reconcile/range-state.ts';
import { takeBackEvents } from '../reconcile/settle-tasks.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Limits } from '../reconcile/tick.ts';
import { WatchedFleet } from './watched-fleet.ts';

export interface PassDependencies {
  readonly journal: RunJournal;
  readonly fleet: Fleet;
  readonly workers: WorkerCalls;
  readonly limits: Limits;
  readonly taskOf: (range: AssignedRange) => TaskRequest;
  /** The pause before the next tick, in milliseconds. It is asked each time. */
  readonly pauseMs: () => number;
  /** True when instances go on without this process and wait for a resume. Then what they work on stays theirs. */
  readonly outlivesProcess: boolean;
  readonly clock: Clock;
  /** Throws when the lock is lost. No call that changes something may follow. */
  readonly requireHeld: () => void;
  /** Called with a sentence when calls to the fleet fail for a while, and when they succeed again. */
  readonly onTrouble: (sentence: string) => void;
  /** Called at each tick at which the fleet could not be seen. */
  readonly onBlind: () => void;
  readonly onTick: (state: RunState, memory: Memory, observation: Observation) => void;
  /** Ends the pass: at a signal, or when the lock is lost. */
  readonly signal: AbortSignal;
}

/**
 * Works one pass, tick by tick: observe, decide, journal, carry out. The pass ends when everything is settled or the
 * run is stopped. Both end only with the fleet at zero.
 */
export async function runPass(dependencies: PassDependencies): Promise<void> {
  const { journal, limits, signal, clock } = dependencies;
  const fleet = new WatchedFleet(dependencies);
  let memory = emptyMemory();
  let outcome = NOTHING_REFUSED;
  try {
    for (;;) {
      signal.throwIfAborted();
      const seen = await fleet.observe(journal.state, outcome);
      if (seen !== null) {
        const { observation, urls } = seen;
        const decision = decide({
          state: journal.state,
          memory,
          observation,
          nowMs: clock.monotonicMs(),
          limits,
        });
        memory = decision.memory;
        await journal.append(decision.events);
        dependencies.onTick(journal.state, memory, observation);
        if (decision.finished) return;
        outcome = await carryOut(decision.effects, urls, fleet, dependencies);
      } else dependencies.onBlind();
      await clock.sleep(dependencies.pauseMs(), signal);
    }
  } catch (error) {
    await leave(error, memory, dependencies);
    throw error;
  }
}

/** What is still done when a pass ends early. A process that lost the lock does nothing more. */
async function leave(cause: unknown, memory: Memory, dependencies: PassDependencies): Promise<void> {
  const { signal, fleet, clock, requireHeld, limits } = dependencies;
  if (signal.reason instanceof Interrupted)
    return dependencies.outlivesProcess ? undefined : keepWhatIsSettled(dependencies, memory);
  if (cause instanceof Superseded || signal.reason instanceof Superseded) return;
  // The journal cannot be written, or the fleet cannot be seen. Instances may be ended without a record.
  const options = { clock, requireHeld, signal, quietMs: limits.zeroQuietMs };
  await emptyFleet(fleet, options).catch(() => {});
}

/** Keeps what the workers had settled by the last poll. Workers that do not outlive this process end with it. */
async function keepWhatIsSettled({ journal, clock }: PassDependencies, memory: Memory): Promise<void> {
  await journal.append([
    ...takeBackEvents(journal.state, memory, 'the run was interrupted'),
    { type: 'desired_set', count: 0 },
    ...endWithProcess(journal.state, clock.now().toISOString()),
  ]);
}

/**
 * Sets the desired capacity first, because an instance that ends before it would be replaced. The drains go beside it.
 * Every termination follows at once. The other calls to workers wait for nobody.
 */
async function carryOut(
  effects: readonly Effect[],
  urls: ReadonlyMap<string, string>,
  fleet: WatchedFleet,
  dependencies: PassDependencies,
): Promise<Outcome> {
  const desired = effects.findLast((effect) => effect.type === 'set_desired');
  const terminations = effects.filter((effect) => effect.type === 'terminate');
  const drains = effects.flatMap((effect) =>
    effect.type === 'drain' ? (urls.get(effect.instance) ?? []) : [],
  );
  const end = async (): Promise<string[]> => {
    const [isSet] = await Promise.all([
      desired === undefined || isDesiredSet(fleet, desired.count),
      drainEach(dependencies.workers, drains),
    ]);
    return isSet ? fleet.terminate(terminations) : terminations.map(({ instance }) => instance);
  };
  const [untold, ...results] = await Promise.all([
    end(),
    ...effects.map((effect) => callWorker(effect, urls, dependencies)),
  ]);
  return { refusals: results.filter((result) => result !== null), untold: new Set(untold) };
}

/**
 * Sets the desired capacity. False means that no instance may end now. If the fleet does not take a desired capacity of
 * zero, it would replace each instance that ends, as long as that lasts. If it throttles calls, it would let none
 * through.
 */
async function isDesiredSet(fleet: WatchedFleet, count: number): Promise<boolean> {
  try {
    return (await fleet.setDesired(count)) || count > 0;
  } catch (error) {
    if (error instanceof Throttled) return false;
    throw error;
  }
}

/**
 * Makes a call to a worker. The next tick shows what the call did. Only a worker's refusal is kept, because nothing
 * else shows it.
 */
async function callWorker(
  effect: Effect,
  urls: ReadonlyMap<string, string>,
  { workers, journal, taskOf }: PassDependencies,
): Promise<TaskRefusal | null> {
  const url = 'instance' in effect ? urls.get(effect.instance) : undefined;
  switch (effect.type) {
    case 'set_desired':
    case 'terminate':
    case 'drain':
      return null;
    case 'post_task': {
      const range = journal.state.open.get(effect.range);
      if (range?.status !== 'assigned' || url === undefined) return null;
      const task = taskOf(range);
      return refusalOf('post_task', task.task_id, workers.post(url, task));
    }
    case 'cut_task':
      if (url === undefined) return null;
      return refusalOf('cut_task', effect.task, workers.cut(url, effect.task, effect.at));
    case 'cancel_task':
      // The task's status shows whether it was taken back.
      if (url !== undefined) await workers.cancel(url, effect.task).catch(() => {});
      return null;
    default:
      return effect satisfies never;
  }
}

async function refusalOf(
  call: TaskRefusal['call'],
  task: string,
  answer: Promise<void>,
): Promise<TaskRefusal | null> {
  try {
    await answer;
    return null;
  } catch (error) {
    const status = error instanceof WorkerRefusal ? error.status : 0;
    return { call, task, status, message: messageOf(error) };
  }
}
