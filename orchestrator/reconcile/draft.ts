import type { Billing } from './billing.ts';
import type { RunEvent } from './events.ts';
import type { EditableMemory, InstanceMemory, TaskMemory } from './memory.ts';
import { type ObservedInstance, type Observation, ownAnswer, type WorkerAnswer } from './observation.ts';
import { applyTo, type EditableState, editableCopy, type RangeState, type RunState } from './state.ts';

/** What a run may use and wait for. All times in milliseconds. */
export interface Limits {
  /** Workers wanted while there is work for all of them. */
  readonly workers: number;
  /** The pass goes on with so many if the cloud has no more. */
  readonly minimum: number;
  /** Instances beyond the first `workers` that a run may use up. */
  readonly replacements: number;
  /** Tries at one range. */
  readonly attempts: number;
  /** The build that every worker must answer with. */
  readonly build: string;
  /** More dead letters than this stop the run. */
  readonly stopLimit: number;
  /** From launch (or from its last ready answer) to a worker that answers as ready. */
  readonly readyTimeoutMs: number;
  /** Fewer instances than desired for this long: the pass goes on with those, or ends. */
  readonly capacityTimeoutMs: number;
  /** The run ends at zero when its instances have lived for so long together; null: nobody has set a bound. */
  readonly mostInstanceSeconds: number | null;
  /** Of the run's instances. */
  readonly billing: Billing;
  /** Without any answer for this long, a worker that was ready counts as lost. */
  readonly lostAfterMs: number;
  /** A running task without progress, while it waits for nothing, fails its attempt. */
  readonly stallTimeoutMs: number;
  /** A task that waits for the database or the cluster this long ends the run: instances cost money. */
  readonly waitingTimeoutMs: number;
  /** An instance that was terminated and still runs is terminated again. */
  readonly terminateTimeoutMs: number;
  /**
   * Zero is believed when it is seen this long after the last call that changes the fleet: as long as a look at the
   * fleet may be stale, and as a call whose answer got lost may take to come into effect. 0 where looks are exact.
   */
  readonly zeroQuietMs: number;
  /** The rest of a range is given to an idle worker if its own would take longer than this. */
  readonly shareLeastMs: number;
}

/** A call to make. Each is made again at a later tick if its effect is not seen. */
export type Effect =
  | { readonly type: 'set_desired'; readonly count: number }
  | { readonly type: 'terminate'; readonly instance: string; readonly decrement: boolean }
  | { readonly type: 'post_task'; readonly instance: string; readonly range: string }
  /** Moves the end of a running task down. */
  | { readonly type: 'cut_task'; readonly instance: string; readonly task: string; readonly at: string }
  /** Takes a task back that waits in its worker's queue. */
  | { readonly type: 'cancel_task'; readonly instance: string; readonly task: string };

/** State and memory as they become while a tick decides. */
export class Draft {
  readonly memory: EditableMemory;
  readonly events: RunEvent[] = [];
  readonly effects: Effect[] = [];
  readonly #before: RunState;
  readonly #instances: ReadonlyMap<string, ObservedInstance>;
  readonly #nowMs: number;
  #edited: EditableState | null = null;
  #byInstance: Map<string, RangeState[]> | null = null;

  constructor(state: RunState, memory: EditableMemory, observation: Observation, nowMs: number) {
    this.#before = state;
    this.memory = memory;
    this.#instances = new Map(observation.instances.map((instance) => [instance.id, instance]));
    this.#nowMs = nowMs;
  }

  get state(): RunState {
    return this.#edited ?? this.#before;
  }

  /** The state is copied once a tick, at its first event. */
  record(event: RunEvent): void {
    this.#edited ??= editableCopy(this.#before);
    applyTo(this.#edited, event);
    this.#byInstance = null;
    this.events.push(event);
  }

  stop(reason: string): void {
    if (this.state.stopped === null) this.record({ type: 'stopped', reason });
  }

  /** A call that changes the fleet. Of the desired capacity only the last word of a tick is said. */
  callFleet(effect: Extract<Effect, { type: 'set_desired' | 'terminate' }>): void {
    this.memory.fleetCallMs = this.#nowMs;
    const said = this.effects.findIndex(({ type }) => type === 'set_desired');
    if (effect.type === 'set_desired' && said !== -1) this.effects.splice(said, 1);
    this.effects.push(effect);
  }

  /** Marks an instance that answers but can be given no work; it is terminated and replaced. */
  markUnfit(instance: string | null, reason: string): void {
    if (instance !== null) this.remember(instance, { unfit: reason });
  }

  remember(instance: string, change: Partial<InstanceMemory>): void {
    const known = this.memory.instances.get(instance);
    if (known !== undefined) this.memory.instances.set(instance, { ...known, ...change });
  }

  rememberTask(task: string, change: Partial<TaskMemory>): void {
    const known = this.memory.tasks.get(task);
    if (known !== undefined) this.memory.tasks.set(task, { ...known, ...change });
  }

  instance(id: string): ObservedInstance | undefined {
    return this.#instances.get(id);
  }

  /** The ranges that are given out and not done, as they are now. */
  get openRanges(): RangeState[] {
    return [...this.state.open.values()];
  }

  get waits(): boolean {
    if (this.state.given < this.state.order.length) return true;
    return this.state.open.values().some(({ status }) => status === 'waiting');
  }

  /** Ranges that an instance has now, in the order in which they were given to it. */
  rangesOf(instance: string): readonly RangeState[] {
    this.#byInstance ??= Map.groupBy(
      this.state.open.values().filter(({ status }) => status === 'assigned'),
      (range) => range.instance ?? '',
    );
    return this.#byInstance.get(instance) ?? [];
  }

  taskOf(range: RangeState): TaskMemory | undefined {
    return this.memory.tasks.get(range.task ?? '');
  }
}

export function isDown(instance: ObservedInstance): boolean {
  return instance.phase === 'terminating' || instance.phase === 'gone';
}

export function isForeign(instance: ObservedInstance, state: RunState): boolean {
  return instance.run !== state.identity?.run;
}

/** A worker that may be given work: of this run, of its build, called by its own name, ready and not about to end. */
export function isReady(
  draft: Draft,
  instance: ObservedInstance,
  answer: WorkerAnswer | undefined,
  build: string,
): boolean {
  if (isDown(instance) || isForeign(instance, draft.state)) return false;
  if (draft.state.terminations[instance.id] !== undefined) return false;
  if (instance.misfit !== null || draft.memory.instances.get(instance.id)?.unfit !== null) return false;
  const own = ownAnswer(answer, instance.id, build);
  return own !== null && own.ready && !own.draining;
}
