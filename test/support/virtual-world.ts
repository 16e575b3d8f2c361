import type { Dependency, TaskStatus } from '../../worker/contract.ts';
import { decide } from '../../orchestrator/reconcile/decide.ts';
import type { Effect } from '../../orchestrator/reconcile/draft.ts';
import type { PlannedRange } from '../../orchestrator/reconcile/run-plan.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { emptyMemory, type Memory } from '../../orchestrator/reconcile/memory.ts';
import {
  type Observation,
  type TaskRefusal,
  type WorkerAnswer,
} from '../../orchestrator/reconcile/observation.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyState, type RunState } from '../../orchestrator/reconcile/state.ts';
import type { Limits } from '../../orchestrator/reconcile/tick.ts';
import { mainPass } from './run-values.ts';

/**
 * A small world in virtual time: a group with a desired capacity, workers that read one key per `keysPerTick`, and the
 * real `decide`. Each key of a range is one row. Behaviours make single workers misbehave.
 */
export interface Behaviour {
  /** The worker's process ends at this tick of its life. */
  readonly diesAt?: number;
  readonly neverReady?: boolean;
  /** It answers, but cannot reach these. */
  readonly unreachable?: readonly Dependency[];
  readonly build?: string;
  /** Its tasks stand still from this tick of its life on. */
  readonly stallsAt?: number;
  /** From this tick of its life on it does not answer, but runs. */
  readonly silentAt?: number;
  /** Reads one key in so many ticks of the others'. */
  readonly slowness?: number;
  /** Its first task ends with this error at half of its range. */
  readonly error?: TaskStatus['error'];
  readonly waitsFor?: TaskStatus['waiting_for'];
  /** Its waiting ends every so many ticks, for one tick, without progress. */
  readonly waitsOnAndOff?: number;
  readonly deadLetterEvery?: number;
  /** Calls itself by another name. */
  readonly callsItself?: string;
  readonly refusesWith?: number;
  /** It was launched from something else than the run is pinned to. */
  readonly misfit?: string;
  /** It does not hear that it is to drain, nor that its tasks are to end. */
  readonly drainsNever?: boolean;
  /** Ticks from its launch to its first answer; 2 by default. */
  readonly bootTicks?: number;
}

interface VirtualWorker {
  readonly id: string;
  readonly behaviour: Behaviour;
  readonly launchedMs: number;
  age: number;
  gone: boolean;
  /** It takes no new task. */
  drains: boolean;
  endedMs: number | null;
  readonly tasks: {
    task: string;
    range: string;
    start: bigint;
    end: bigint;
    at: bigint;
    status: TaskStatus;
  }[];
}

export const TEST_LIMITS: Limits = {
  workers: 4,
  minimum: 1,
  capacityTimeoutMs: 600_000,
  mostInstanceSeconds: null,
  billing: { leastSeconds: 60 },
  replacements: 4,
  attempts: 3,
  build: 'build-1',
  stopLimits: { target: 1000 },
  readyTimeoutMs: 60_000,
  lostAfterMs: 30_000,
  stallTimeoutMs: 120_000,
  waitingTimeoutMs: 600_000,
  drainTimeoutMs: 10_000,
  terminateTimeoutMs: 15_000,
  zeroQuietMs: 0,
  shareLeastMs: 5_000,
};

const TICK_MS = 1000;

export class VirtualWorld {
  state: RunState;
  memory: Memory = emptyMemory();
  nowMs = 0;
  desired = 0;
  /** The cloud has no more than so many instances. */
  capacity = Number.POSITIVE_INFINITY;
  launchFault: string | null = null;
  /** The group refuses to be told more. */
  maximum = Number.POSITIVE_INFINITY;
  readonly effects: { readonly atMs: number; readonly effect: Effect }[] = [];
  readonly limits: Limits;
  readonly workers: VirtualWorker[] = [];
  readonly events: RunEvent[] = [];
  readonly decrements = new Map<string, number>();
  #refusals: TaskRefusal[] = [];
  #seen: Observation | null = null;
  readonly #behaviours: readonly Behaviour[];
  readonly #keysPerTick: bigint;
  readonly #showsEnded: boolean;
  readonly #loseEffects: (effect: Effect, tick: number) => boolean;

  constructor(options: {
    ranges: readonly { start: bigint; end: bigint }[];
    limits?: Partial<Limits>;
    behaviours?: readonly Behaviour[];
    keysPerTick?: number;
    /** False: an instance that has ended is not seen any more. */
    showsEnded?: boolean;
    loseEffects?: (effect: Effect, tick: number) => boolean;
  }) {
    this.limits = { ...TEST_LIMITS, ...options.limits };
    this.#behaviours = options.behaviours ?? [];
    this.#keysPerTick = BigInt(options.keysPerTick ?? 10);
    this.#showsEnded = options.showsEnded ?? true;
    this.#loseEffects = options.loseEffects ?? (() => false);
    const ranges: PlannedRange[] = options.ranges.map(({ start, end }, i) => ({
      number: `${i}`,
      start: start.toString(),
      end: end.toString(),
      rows: Number(end - start),
      bytes: 0,
    }));
    this.state = applyEvents(emptyState(), [
      IDENTITY,
      { type: 'planned', keyKind: 'integer', ranges, bounds: null },
      { type: 'pass_opened', pass: mainPass() },
    ]);
  }

  /** Ticks until the pass is finished; throws when it does not end. Gives the number of ticks. */
  runToEnd(maxTicks = 5_000): number {
    for (let tick = 1; tick <= maxTicks; tick += 1) {
      if (this.tick(tick)) return tick;
    }
    throw new Error(`not finished after ${maxTicks} ticks: ${JSON.stringify([...this.state.open.values()])}`);
  }

  tick(number: number): boolean {
    this.#live();
    this.#seen = this.#observe();
    const decision = decide({
      state: this.state,
      memory: this.memory,
      observation: this.#seen,
      nowMs: this.nowMs,
      limits: this.limits,
    });
    this.memory = decision.memory;
    this.events.push(...decision.events);
    this.state = applyEvents(this.state, decision.events);
    this.#refusals = [];
    for (const effect of decision.effects) this.effects.push({ atMs: this.nowMs, effect });
    for (const effect of decision.effects) if (!this.#loseEffects(effect, number)) this.#carryOut(effect);
    this.nowMs += TICK_MS;
    return decision.finished;
  }

  /** Leaves so many instances that ended before anybody looked. */
  bury(count: number): void {
    for (let i = 1; i <= count; i += 1)
      this.workers.push({ ...freshWorker(`old${i}`, {}, 0), age: 9, gone: true, endedMs: 0 });
  }

  /** A worker comes to work on a task that stands in no journal. */
  giveStray(id: string, end: bigint): void {
    const worker = this.workers.find((candidate) => candidate.id === id);
    const status = freshStatus('stray', 1, end.toString(), this.nowMs);
    worker?.tasks.push({ task: 'stray', range: 'stray', start: 0n, end, at: 0n, status });
  }

  /** What the last tick saw. */
  get observation(): Observation {
    if (this.#seen === null) throw new Error('nobody has looked yet');
    return this.#seen;
  }

  get alive(): VirtualWorker[] {
    return this.workers.filter((worker) => !worker.gone);
  }

  #live(): void {
    for (const worker of this.alive) {
      worker.age += 1;
      if (worker.behaviour.diesAt === worker.age) this.#end(worker);
      else this.#work(worker);
    }
    while (this.alive.length < Math.min(this.desired, this.capacity)) {
      const behaviour = this.#behaviours[this.workers.length] ?? {};
      this.workers.push(freshWorker(`w${this.workers.length + 1}`, behaviour, this.nowMs));
    }
  }

  #end(worker: VirtualWorker): void {
    worker.gone = true;
    worker.endedMs ??= this.nowMs;
  }

  #work(worker: VirtualWorker): void {
    const { behaviour } = worker;
    const task = worker.tasks.find(({ status }) => status.active);
    if (task === undefined || (behaviour.stallsAt !== undefined && worker.age >= behaviour.stallsAt)) return;
    if (behaviour.waitsFor !== undefined) {
      const pauses = behaviour.waitsOnAndOff !== undefined && worker.age % behaviour.waitsOnAndOff === 0;
      task.status = { ...task.status, waiting_for: pauses ? null : behaviour.waitsFor };
      return;
    }
    const half = task.start + (task.end - task.start) / 2n;
    const limit = behaviour.error ? half : task.end;
    const keys = this.#keysPerTick / BigInt(behaviour.slowness ?? 1);
    const at = task.at + keys < limit ? task.at + keys : limit;
    const rows = Number(at - task.start);
    const dead = behaviour.deadLetterEvery === undefined ? 0 : Math.floor(rows / behaviour.deadLetterEvery);
    task.at = at;
    task.status = {
      ...task.status,
      settled_through: at === task.start ? null : (at - 1n).toString(),
      rows_read: rows,
      targets: [{ index: 'target', indexed: rows - dead, superseded: 0, filtered: 0, dead_letters: dead }],
      active: at < limit,
      error: at < limit ? null : (behaviour.error ?? null),
    };
  }

  #observe(): Observation {
    const workers = new Map(this.alive.map((worker) => [worker.id, this.#answer(worker)]));
    return {
      desired: this.desired,
      exact: true,
      at: new Date(this.nowMs).toISOString(),
      launchFault: this.launchFault,
      launchFailures: this.capacity < this.desired ? [NO_CAPACITY] : [],
      instances: (this.#showsEnded ? this.workers : this.alive).map((worker) => ({
        id: worker.id,
        phase: worker.gone ? 'gone' : worker.age === 0 ? 'pending' : 'running',
        run: 'run-1',
        detail: worker.gone ? 'exit code 1' : null,
        misfit: worker.behaviour.misfit ?? null,
        launchedAt: new Date(worker.launchedMs).toISOString(),
        endedAt: worker.endedMs === null ? null : new Date(worker.endedMs).toISOString(),
      })),
      workers,
      refusals: this.#refusals,
      untold: new Set(),
    };
  }

  #answer(worker: VirtualWorker): WorkerAnswer {
    const { behaviour } = worker;
    const silent =
      worker.age < (behaviour.bootTicks ?? 2) ||
      (behaviour.silentAt !== undefined && worker.age >= behaviour.silentAt);
    if (silent) return { reachable: false, error: 'ECONNREFUSED' };
    const assigned = [...this.state.open.values()]
      .filter((range) => range.status === 'assigned')
      .filter(({ instance }) => instance === worker.id);
    return {
      reachable: true,
      ready: behaviour.neverReady !== true && behaviour.unreachable === undefined,
      unreachable: behaviour.unreachable ?? [],
      draining: worker.drains,
      build: behaviour.build ?? 'build-1',
      workerId: behaviour.callsItself ?? worker.id,
      tasks: Object.fromEntries(
        assigned.map(({ task }) => [task, worker.tasks.find((known) => known.task === task)?.status ?? null]),
      ),
      strayTasks: worker.tasks
        .filter(({ task, status }) => status.active && !assigned.some((range) => range.task === task))
        .map(({ task }) => task),
    };
  }

  #carryOut(effect: Effect): void {
    if (effect.type === 'set_desired')
      this.desired = effect.count > this.maximum ? this.desired : effect.count;
    else if (effect.type === 'terminate') this.#terminate(effect.instance, effect.decrement);
    else if (effect.type === 'drain') this.#drain(effect.instance);
    else if (effect.type === 'post_task') this.#post(effect.instance, effect.range);
    else this.#changeTask(effect);
  }

  #terminate(id: string, decrement: boolean): void {
    if (decrement) {
      this.decrements.set(id, (this.decrements.get(id) ?? 0) + 1);
      this.desired -= 1;
    }
    const worker = this.workers.find((candidate) => candidate.id === id);
    if (worker !== undefined) this.#end(worker);
  }

  #drain(id: string): void {
    const worker = this.alive.find((candidate) => candidate.id === id);
    if (worker !== undefined && worker.behaviour.drainsNever !== true) worker.drains = true;
  }

  #post(id: string, rangeId: string): void {
    const worker = this.workers.find((candidate) => candidate.id === id);
    const range = this.state.open.get(rangeId);
    if (worker === undefined || worker.gone || range?.status !== 'assigned') return;
    const refusesWith = worker.drains ? 503 : worker.behaviour.refusesWith;
    if (refusesWith !== undefined) {
      this.#refusals.push({ call: 'post_task', task: range.task, status: refusesWith, message: 'refused' });
      return;
    }
    if (worker.tasks.some(({ task }) => task === range.task)) return;
    const start = BigInt(range.start ?? 0);
    worker.tasks.push({
      task: range.task,
      range: rangeId,
      start,
      end: BigInt(range.end ?? 0),
      at: start,
      status: freshStatus(range.task, range.attempt, range.end, this.nowMs),
    });
  }

  #changeTask(effect: Extract<Effect, { type: 'cut_task' | 'cancel_task' }>): void {
    const worker = this.alive.find(({ id }) => id === effect.instance);
    const task = worker?.tasks.find((candidate) => candidate.task === effect.task);
    if (task === undefined || !task.status.active || worker?.behaviour.drainsNever === true) return;
    if (effect.type === 'cancel_task') {
      const error = { next: 'cancelled', type: 'cancelled', message: 'taken back' } as const;
      task.status = { ...task.status, active: false, error };
    } else if (task.at <= BigInt(effect.at)) {
      task.end = BigInt(effect.at);
      task.status = { ...task.status, end_index: effect.at };
    } else {
      this.#refusals.push({ call: 'cut_task', task: effect.task, status: 409, message: 'read already' });
    }
  }
}

export const NO_CAPACITY = {
  at: '2026-01-01T00:00:00Z',
  reason: 'InsufficientInstanceCapacity: We currently do not have sufficient c7g.large capacity',
};

function freshWorker(id: string, behaviour: Behaviour, launchedMs: number): VirtualWorker {
  return { id, behaviour, launchedMs, age: 0, gone: false, drains: false, endedMs: null, tasks: [] };
}

/** How often each range was given back, and how often this counted as an attempt. */
export function givenBack(world: VirtualWorld): { ranges: string[]; charged: string[] } {
  const back = world.events.flatMap((event) =>
    event.type === 'settled' && event.outcome !== 'done' ? [event] : [],
  );
  return {
    ranges: back.map(({ range }) => range),
    charged: back.flatMap(({ range, charged }) => (charged ? [range] : [])),
  };
}

export const IDENTITY: Extract<RunEvent, { type: 'run_started' }> = {
  type: 'run_started',
  run: 'run-1',
  runKey: 'key-1',
  fleet: 'test',
  build: 'build-1',
  source: 'shop (1) books (2)',
  startedAt: '2026-01-01T00:00:00.000Z',
  rows: 0,
  rowsExact: true,
  targets: [
    {
      definition: 'cities',
      definitionDigest: 'a.b',
      alias: 'cities',
      index: 'target',
      deadLetterIndex: 'target-dead-letters',
    },
  ],
};

function freshStatus(task: string, attempt: number, end: string | null, nowMs: number): TaskStatus {
  return {
    task_id: task,
    active: true,
    attempt,
    end_index: end,
    progress: 0,
    settled_through: null,
    rows_read: 0,
    filtered: 0,
    targets: [{ index: 'target', indexed: 0, superseded: 0, filtered: 0, dead_letters: 0 }],
    bytes_sent: 0,
    retries: 0,
    waiting_for: null,
    start_time: new Date(nowMs).toISOString(),
    finish_time: null,
    error: null,
  };
}

/** Expects that accepted stretches count the keys of all ranges, each exactly once. */
export function acceptedRows(world: VirtualWorld): number {
  return world.state.counts.rowsRead;
}

/** `count` ranges of `size` keys, side by side. */
export function evenRanges(count: number, size: number): { start: bigint; end: bigint }[] {
  return Array.from({ length: count }, (_, i) => ({ start: BigInt(i * size), end: BigInt((i + 1) * size) }));
}
