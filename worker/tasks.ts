import type { Key, KeyKind } from '../definition/key/key-kind.ts';
import type { TaskRequest, TaskStatus } from './contract.ts';
import { Refusal } from './refusal.ts';
import {
  type KnownDefinition,
  keyOfKind,
  type TaskDefinitions,
  taskDefinitions,
  taskKeyKind,
} from './task-definitions.ts';
import { faultOfEnd } from './task-end.ts';
import { TaskFailure } from './task-failure.ts';
import { addTask, NO_TOTALS, type TaskTotals } from './task-totals.ts';
import { type InFlight, NOTHING_IN_FLIGHT } from './targets/in-flight.ts';
import { NO_FIGURES, statusOf, type TaskFigures } from './task-status.ts';

/** A task under way. */
export interface TaskRun {
  /** Resolves when every row of the range is settled; rejects when the task cannot be completed. */
  readonly done: Promise<void>;
  figures(): TaskFigures;
  /** What it has on its way to its targets. */
  inFlight(): InFlight;
  /**
   * Moves the end of the range down at once. From then on it hands on every row before the new end, and no other. False: a row
   * at or behind the new end was already handed on, and nothing has changed.
   */
  lowerEnd(end: Key): boolean;
}

/** Starts the work of a task; the signal ends it promptly. */
export type StartTask = (request: TaskRequest, definitions: TaskDefinitions, signal: AbortSignal) => TaskRun;

export interface TaskRegisterOptions {
  readonly workerId: string;
  readonly definitions: readonly KnownDefinition[];
  readonly start: StartTask;
  readonly clock: () => Date;
  /** Called when a task begins and when it ends. */
  readonly onChange: (status: TaskStatus) => void;
}

/** How many finished tasks keep their status. */
const KEPT_TASKS = 1_000;
/** One running and one waiting, so that the worker never idles between two polls. */
const MAX_ACTIVE = 2;
const RETRY_AFTER_SECONDS = '1';

interface Task {
  /** Recognises a repeated post. */
  readonly posted: TaskRequest;
  /** What was posted, with the present end. */
  request: TaskRequest;
  readonly definitions: TaskDefinitions;
  readonly kind: KeyKind;
  readonly end: AbortController;
  run: TaskRun | null;
  startedAt: Date;
  /** Set once, when the task is over. */
  final: TaskStatus | null;
  /** Resolves when the task is over. */
  over: Promise<void>;
}

/** The worker's tasks: one running, at most one waiting, and the statuses of those that are over. */
export class TaskRegister {
  readonly #options: TaskRegisterOptions;
  /** In order of acceptance. */
  readonly #tasks = new Map<string, Task>();
  /** The running one first. */
  readonly #active: Task[] = [];
  /** Of the tasks that are over, those whose status was forgotten among them. */
  #ended: TaskTotals = NO_TOTALS;
  /** Highest attempt accepted per range, of the run that was last accepted. */
  #attempts = { run: '', byRange: new Map<string, number>() };

  constructor(options: TaskRegisterOptions) {
    this.#options = options;
  }

  /** The run that the active tasks belong to. */
  get activeRun(): string | null {
    return this.#active[0]?.request.run ?? null;
  }

  /** The running one first. */
  get active(): TaskStatus[] {
    return this.#active.map((task) => this.#statusOf(task));
  }

  /** Of all tasks that this worker ever had, as far as they are settled. */
  get totals(): TaskTotals {
    return this.active.reduce(addTask, this.#ended);
  }

  get inFlight(): InFlight {
    return this.#active[0]?.run?.inFlight() ?? NOTHING_IN_FLIGHT;
  }

  /**
   * Takes a task. Posting the same task again changes nothing.
   * @throws Refusal 404, 409 or 429
   */
  accept(request: TaskRequest): TaskStatus {
    const posted = this.#tasks.get(request.task_id);
    if (posted !== undefined) return this.#repeated(posted, request);
    const definitions = this.#check(request);
    const kind = taskKeyKind(definitions, request);
    if (this.#active.length >= MAX_ACTIVE) {
      throw new Refusal(
        429,
        'This worker has one task that runs and one that waits. Post the task again later.',
        {
          headers: { 'Retry-After': RETRY_AFTER_SECONDS },
        },
      );
    }
    this.#noteAttempt(request);
    const task: Task = {
      posted: request,
      request,
      definitions,
      kind,
      end: new AbortController(),
      run: null,
      startedAt: this.#options.clock(),
      final: null,
      over: Promise.resolve(),
    };
    this.#tasks.set(request.task_id, task);
    this.#active.push(task);
    this.#startNext();
    return this.#statusOf(task);
  }

  /** @throws Refusal 404 */
  status(taskId: string): TaskStatus {
    return this.#statusOf(this.#find(taskId));
  }

  /** Newest first. */
  list(): TaskStatus[] {
    return [...this.#tasks.values()].reverse().map((task) => this.#statusOf(task));
  }

  /**
   * Moves the end of a running or waiting task down. Reading cannot pass the new end between check and change. The present end
   * again changes nothing.
   * @throws Refusal 404; 409 if the task is over, its range cannot end there, or rows from there on were read
   */
  lowerEnd(taskId: string, endIndex: string): TaskStatus {
    const task = this.#find(taskId);
    if (task.request.end_index !== endIndex) this.#lowerEnd(task, endIndex);
    return this.#statusOf(task);
  }

  /**
   * Ends a task and returns its final status. A task that is over stays as it is.
   * @throws Refusal 404
   */
  async cancel(taskId: string, why: string): Promise<TaskStatus> {
    const task = this.#find(taskId);
    task.end.abort(new TaskFailure('cancelled', 'cancelled', why));
    if (task.run === null) this.#finish(task, task.end.signal.reason);
    await task.over;
    return this.#statusOf(task);
  }

  async cancelAll(why: string): Promise<void> {
    await Promise.all(this.#active.map((task) => this.cancel(task.request.task_id, why)));
  }

  /** Ends the tasks that have not begun to run. */
  async cancelWaiting(why: string): Promise<void> {
    const waiting = this.#active.filter((task) => task.run === null);
    await Promise.all(waiting.map((task) => this.cancel(task.request.task_id, why)));
  }

  #lowerEnd(task: Task, endIndex: string): void {
    const end = keyOfKind(task.kind, endIndex, 'end_index');
    const fault =
      task.final === null
        ? faultOfEnd(task.request, end, task.kind)
        : `Task ${task.posted.task_id} is over: its end stays where it is.`;
    if (fault !== null || task.run?.lowerEnd(end) === false) {
      const why = fault ?? `Rows from key ${endIndex} on were read already.`;
      throw new Refusal(409, why, { field: 'end_index' });
    }
    task.request = { ...task.request, end_index: endIndex };
  }

  #find(taskId: string): Task {
    const task = this.#tasks.get(taskId);
    if (task !== undefined) return task;
    throw new Refusal(404, `There is no task ${JSON.stringify(taskId.slice(0, 128))} here.`);
  }

  #repeated(task: Task, request: TaskRequest): TaskStatus {
    if (JSON.stringify(task.posted) === JSON.stringify(request)) return this.#statusOf(task);
    throw new Refusal(
      409,
      `Task ${request.task_id} was posted before with another body. Choose another task_id.`,
      {
        field: 'task_id',
      },
    );
  }

  #check(request: TaskRequest): TaskDefinitions {
    const { workerId } = this.#options;
    if (request.worker_id !== workerId) {
      throw new Refusal(409, `This is worker ${workerId}, not ${request.worker_id}.`, { field: 'worker_id' });
    }
    const definitions = taskDefinitions(request, this.#options.definitions);
    const seen = this.#attempts.run === request.run ? (this.#attempts.byRange.get(request.range_id) ?? 0) : 0;
    if (request.attempt < seen) {
      throw new Refusal(409, `Attempt ${seen} of range ${request.range_id} was seen already.`, {
        field: 'attempt',
      });
    }
    return definitions;
  }

  #noteAttempt({ run, range_id: rangeId, attempt }: TaskRequest): void {
    if (this.#attempts.run !== run) this.#attempts = { run, byRange: new Map() };
    this.#attempts.byRange.set(rangeId, attempt);
  }

  #startNext(): void {
    const [task] = this.#active;
    if (task === undefined || task.run !== null) return;
    task.startedAt = this.#options.clock();
    task.over = this.#perform(task);
    this.#options.onChange(this.#statusOf(task));
  }

  async #perform(task: Task): Promise<void> {
    try {
      task.run = this.#options.start(task.request, task.definitions, task.end.signal);
      await task.run.done;
      this.#finish(task, null);
    } catch (error) {
      this.#finish(task, error);
    }
  }

  #finish(task: Task, failure: unknown): void {
    if (task.final !== null) return;
    const error = failure === null ? null : errorOf(failure, task.end.signal).toTaskError();
    const times = { startedAt: task.startedAt, finishedAt: this.#options.clock(), error };
    task.final = statusOf(task.request, figuresOf(task), times, task.kind);
    task.run = null;
    this.#ended = addTask(this.#ended, task.final);
    this.#active.splice(this.#active.indexOf(task), 1);
    this.#forgetOldest();
    this.#options.onChange(task.final);
    this.#startNext();
  }

  #forgetOldest(): void {
    for (const [taskId, task] of this.#tasks) {
      if (this.#tasks.size - this.#active.length <= KEPT_TASKS) return;
      if (task.final !== null) this.#tasks.delete(taskId);
    }
  }

  #statusOf(task: Task): TaskStatus {
    if (task.final !== null) return task.final;
    const times = { startedAt: task.startedAt, finishedAt: null, error: null };
    return statusOf(task.request, figuresOf(task), times, task.kind);
  }
}

function figuresOf(task: Task): TaskFigures {
  return task.run?.figures() ?? NO_FIGURES;
}

/** A cancelled task may throw many errors, but has one cause. An unexpected error may not happen on another worker. */
function errorOf(failure: unknown, signal: AbortSignal): TaskFailure {
  if (signal.aborted && signal.reason instanceof TaskFailure) return signal.reason;
  if (failure instanceof TaskFailure) return failure;
  const message = failure instanceof Error ? failure.message : String(failure);
  return new TaskFailure('retry', 'internal', `An unexpected error ended the task: ${message}`, {
    cause: failure,
  });
}
