import type { KeyKind } from '../../definition/key/key-kind.ts';
import type { RunEvent } from './events.ts';
import type { EditableMemory, InstanceMemory, TaskMemory } from './memory.ts';
import { type ObservedInstance, type Observation, ownAnswer } from './observation.ts';
import { rememberTick } from './remember-tick.ts';
import type { AssignedRange, RangeState } from './range-state.ts';
import { applyTo, type EditableState, editableCopy } from './fold-events.ts';
import { keyKindOfRun, type RunState } from './state.ts';
import type { Limits, Tick } from './tick.ts';

/** A call to make. If its effect is not seen, a later tick makes it again. */
export type Effect =
  | { readonly type: 'set_desired'; readonly count: number }
  | { readonly type: 'terminate'; readonly instance: string; readonly decrement: boolean }
  | { readonly type: 'post_task'; readonly instance: string; readonly range: string }
  /** Moves the end of a running task down. */
  | { readonly type: 'cut_task'; readonly instance: string; readonly task: string; readonly at: string }
  /** Lets a worker take no new task. It comes before `terminate` of the same instance. */
  | { readonly type: 'drain'; readonly instance: string }
  /** Ends a task. It is given to another worker, its worker is to be ended, or the run does not know it. */
  | { readonly type: 'cancel_task'; readonly instance: string; readonly task: string };

/** A tick that is being decided: what it sees, with the state and the memory as the decisions change them. */
export class Draft {
  readonly observation: Observation;
  readonly nowMs: number;
  readonly limits: Limits;
  readonly memory: EditableMemory;
  readonly events: RunEvent[] = [];
  readonly effects: Effect[] = [];
  readonly #before: RunState;
  readonly #instances: ReadonlyMap<string, ObservedInstance>;
  #edited: EditableState | null = null;
  #byInstance: Map<string, AssignedRange[]> | null = null;

  constructor(tick: Tick) {
    this.observation = tick.observation;
    this.nowMs = tick.nowMs;
    this.limits = tick.limits;
    this.memory = rememberTick(tick);
    this.#before = tick.state;
    this.#instances = new Map(tick.observation.instances.map((instance) => [instance.id, instance]));
  }

  get state(): RunState {
    return this.#edited ?? this.#before;
  }

  /** Applies an event. The state is copied once a tick, at its first event. */
  record(event: RunEvent): void {
    this.#edited ??= editableCopy(this.#before);
    applyTo(this.#edited, event);
    this.#byInstance = null;
    this.events.push(event);
  }

  stop(reason: string): void {
    if (this.state.stopped === null) this.record({ type: 'stopped', reason });
  }

  /** Adds a call that changes the fleet. Of several desired capacities in one tick, only the last is kept. */
  callFleet(effect: Extract<Effect, { type: 'set_desired' | 'terminate' }>): void {
    this.memory.fleetCallMs = this.nowMs;
    const said = this.effects.findIndex(({ type }) => type === 'set_desired');
    if (effect.type === 'set_desired' && said !== -1) this.effects.splice(said, 1);
    this.effects.push(effect);
  }

  /** Marks an instance that answers but can be given no work. It will be terminated and replaced. */
  markUnfit(instance: string, reason: string): void {
    this.remember(instance, { unfit: reason });
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

  get keyKind(): KeyKind {
    return keyKindOfRun(this.state);
  }

  /** The ranges that are given out and not done. */
  get openRanges(): RangeState[] {
    return [...this.state.open.values()];
  }

  get assignedRanges(): AssignedRange[] {
    const assigned: AssignedRange[] = [];
    for (const range of this.state.open.values()) if (range.status === 'assigned') assigned.push(range);
    return assigned;
  }

  get waits(): boolean {
    if (this.state.given < this.state.order.length) return true;
    return this.state.open.values().some(({ status }) => status === 'waiting');
  }

  /** The ranges that an instance has now, in the order in which it got them. */
  rangesOf(instance: string): readonly AssignedRange[] {
    this.#byInstance ??= Map.groupBy(this.assignedRanges, (range) => range.instance);
    return this.#byInstance.get(instance) ?? [];
  }

  taskOf({ task }: AssignedRange): TaskMemory | undefined {
    return this.memory.tasks.get(task);
  }
}

export function isDown(instance: ObservedInstance): boolean {
  return instance.phase === 'terminating' || instance.phase === 'gone';
}

export function isForeign(instance: ObservedInstance, state: RunState): boolean {
  return instance.run !== state.identity?.run;
}

/**
 * Whether a worker may be given work: it is of this run and build, has its own name, is ready, has no tasks of others and
 * is not about to end.
 */
export function isReady({ state, memory, observation, limits }: Draft, instance: ObservedInstance): boolean {
  if (isDown(instance) || isForeign(instance, state)) return false;
  if (state.terminations[instance.id] !== undefined || state.drains[instance.id] !== undefined) return false;
  if (instance.misfit !== null || memory.instances.get(instance.id)?.unfit !== null) return false;
  const own = ownAnswer(observation.workers.get(instance.id), instance.id, limits.build);
  return own !== null && own.ready && !own.draining && own.strayTasks.length === 0;
}
