import type { RunEvent } from './events.ts';
import { type Memory, withInstance } from './memory.ts';
import type { ObservedInstance } from './observation.ts';
import { applyEvent, type RangeState, type RunState } from './state.ts';

/** What a run may use and wait for. All times in milliseconds. */
export interface Limits {
  /** Workers wanted while there is work for all of them. */
  readonly workers: number;
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
  /** Without any answer for this long, a worker that was ready counts as lost. */
  readonly lostAfterMs: number;
  /** A running task without progress, while it waits for nothing, fails its attempt. */
  readonly stallTimeoutMs: number;
  /** A task that waits for the database or the cluster this long ends the run: instances cost money. */
  readonly waitingTimeoutMs: number;
  /** An instance that was terminated and still runs is terminated again. */
  readonly terminateTimeoutMs: number;
}

/** A call to make. Each is made again at a later tick if its effect is not seen. */
export type Effect =
  | { readonly type: 'set_desired'; readonly count: number }
  | { readonly type: 'terminate'; readonly instance: string; readonly decrement: boolean }
  | { readonly type: 'post_task'; readonly instance: string; readonly range: string };

/** State and memory as they become while a tick decides. */
export class Draft {
  state: RunState;
  memory: Memory;
  readonly events: RunEvent[] = [];
  readonly effects: Effect[] = [];

  constructor(state: RunState, memory: Memory) {
    this.state = state;
    this.memory = memory;
  }

  record(event: RunEvent): void {
    this.state = applyEvent(this.state, event);
    this.events.push(event);
  }

  stop(reason: string): void {
    if (this.state.stopped === null) this.record({ type: 'stopped', reason });
  }

  /** Marks an instance that answers but can be given no work; it is terminated and replaced. */
  markUnfit(instance: string | null, reason: string): void {
    if (instance !== null) this.memory = withInstance(this.memory, instance, { unfit: reason });
  }

  get ranges(): RangeState[] {
    return Object.values(this.state.ranges);
  }

  /** Ranges that an instance has now, in the order in which they were given to it. */
  rangesOf(instance: string): RangeState[] {
    return this.ranges.filter((range) => range.status === 'assigned' && range.instance === instance);
  }
}

export function isDown(instance: ObservedInstance): boolean {
  return instance.phase === 'terminating' || instance.phase === 'gone';
}

export function isForeign(instance: ObservedInstance, state: RunState): boolean {
  return instance.run !== state.identity?.run;
}
