import type { IndexDefinition } from '../../definition/definition.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { type WorkerCalls, WorkerRefusal } from '../../orchestrator/fleet/worker-client.ts';
import type { TaskRequest, TaskStatus } from '../../worker/contract.ts';
import { Draining } from '../../worker/draining.ts';
import { Refusal } from '../../worker/refusal.ts';
import { NOTHING_IN_FLIGHT } from '../../worker/targets/in-flight.ts';
import { type TaskRun, TaskRegister } from '../../worker/tasks.ts';
import type { GroupWatch } from './group.ts';
import type { Scheduler } from './scheduler.ts';

export interface PacedWorkersOptions {
  readonly scheduler: Scheduler;
  readonly build: string;
  readonly definition: IndexDefinition;
  /** Rows that each worker reads and settles in a second. Every key is a row. */
  readonly rowsPerSecond: number;
  /** The time from a running machine to a ready worker. */
  readonly startMs: number;
  /** The time from a health call to its answer. */
  readonly answerMs: number;
}

/** Workers whose pace alone is virtual. The real worker's own register keeps their tasks. */
export class PacedWorkers implements WorkerCalls, GroupWatch {
  readonly #options: PacedWorkersOptions;
  readonly #digest: string;
  readonly #workers = new Map<string, PacedWorker>();
  /** When the last task of all ended. */
  lastEndMs = 0;

  constructor(options: PacedWorkersOptions) {
    this.#options = options;
    this.#digest = digestDefinition(options.definition);
  }

  running(instance: string): void {
    this.#options.scheduler.after(this.#options.startMs, () =>
      this.#workers.set(instance, this.#worker(instance)),
    );
  }

  gone(instance: string): void {
    this.#workers.delete(instance);
  }

  async health(url: string): Promise<Awaited<ReturnType<WorkerCalls['health']>>> {
    const { scheduler, answerMs, build } = this.#options;
    await new Promise<void>((resolve) => void scheduler.after(answerMs, resolve));
    const { draining } = this.#at(url);
    return { status: 'ok', build, worker_id: idOf(url), draining: draining.begun, ready: true };
  }

  async task(url: string, taskId: string): Promise<TaskStatus | null> {
    try {
      return this.#at(url).tasks.status(taskId);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  async tasks(url: string): Promise<readonly TaskStatus[]> {
    return this.#at(url).tasks.list();
  }

  post(url: string, task: TaskRequest): Promise<void> {
    return this.#ask(url, ({ tasks, draining }) => {
      draining.refuseNew(task.task_id);
      tasks.accept(task);
    });
  }

  cut(url: string, taskId: string, endIndex: string): Promise<void> {
    return this.#ask(url, ({ tasks }) => tasks.lowerEnd(taskId, endIndex));
  }

  cancel(url: string, taskId: string): Promise<void> {
    return this.#ask(url, ({ tasks }) => tasks.cancel(taskId, 'taken back'));
  }

  drain(url: string): Promise<void> {
    return this.#ask(url, ({ draining }) => draining.takeNoMore());
  }

  async #ask(url: string, work: (worker: PacedWorker) => unknown): Promise<void> {
    try {
      await work(this.#at(url));
    } catch (error) {
      throw new WorkerRefusal(error instanceof Refusal ? error.status : 0, messageOf(error));
    }
  }

  #at(url: string): PacedWorker {
    const worker = this.#workers.get(idOf(url));
    if (worker === undefined) throw new WorkerRefusal(0, 'ECONNREFUSED');
    return worker;
  }

  #worker(workerId: string): PacedWorker {
    const { scheduler } = this.#options;
    const tasks = this.#register(workerId);
    const draining = new Draining({
      tasks,
      lingerMs: 0,
      now: () => scheduler.nowMs,
      schedule: (ms, work) => scheduler.after(ms, work),
      onDrained: () => {},
    });
    return { tasks, draining };
  }

  #register(workerId: string): TaskRegister {
    const { scheduler, definition, rowsPerSecond } = this.#options;
    return new TaskRegister({
      workerId,
      definitions: [{ definition, digest: this.#digest }],
      start: (request, _definition, signal) =>
        new PacedTask(request, { scheduler, rowsPerMs: rowsPerSecond / 1_000, signal }),
      clock: () => new Date(scheduler.nowMs),
      onChange: ({ active }) => {
        if (!active && this.#workers.has(workerId)) this.lastEndMs = scheduler.nowMs;
      },
    });
  }
}

interface PacedWorker {
  readonly tasks: TaskRegister;
  readonly draining: Draining;
}

function idOf(url: string): string {
  return new URL(url).hostname;
}

interface Pace {
  readonly scheduler: Scheduler;
  readonly rowsPerMs: number;
  readonly signal: AbortSignal;
}

/** A task that at any time has read and settled what its pace allows since it began. */
class PacedTask implements TaskRun {
  readonly done: Promise<void>;
  readonly #pace: Pace;
  readonly #startMs: number;
  readonly #start: bigint;
  #end: bigint;
  #finish = (): void => {};
  #unplan = (): void => {};

  constructor({ start_index, end_index }: TaskRequest, pace: Pace) {
    this.#pace = pace;
    this.#startMs = pace.scheduler.nowMs;
    this.#start = BigInt(start_index ?? 0);
    this.#end = BigInt(end_index ?? 0);
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      pace.signal.addEventListener('abort', () => reject(pace.signal.reason as Error), { once: true });
    });
    this.#plan();
  }

  lowerEnd(end: bigint): boolean {
    if (this.#start + BigInt(this.#read()) > end) return false;
    this.#end = end;
    this.#unplan();
    this.#plan();
    return true;
  }

  inFlight(): ReturnType<TaskRun['inFlight']> {
    return NOTHING_IN_FLIGHT;
  }

  figures(): ReturnType<TaskRun['figures']> {
    const rowsRead = this.#read();
    return {
      settledThrough: rowsRead === 0 ? null : this.#start + BigInt(rowsRead) - 1n,
      firstKey: this.#start,
      counts: {
        rowsRead,
        filtered: 0,
        targets: [{ indexed: rowsRead, superseded: 0, filtered: 0, deadLetters: 0 }],
      },
      bytesSent: rowsRead * 1_000,
      retries: 0,
      waitingFor: null,
    };
  }

  get #rows(): number {
    return Number(this.#end - this.#start);
  }

  #read(): number {
    const { scheduler, rowsPerMs } = this.#pace;
    return Math.min(this.#rows, Math.floor((scheduler.nowMs - this.#startMs) * rowsPerMs));
  }

  #plan(): void {
    const { scheduler, rowsPerMs } = this.#pace;
    const endMs = this.#startMs + Math.ceil(this.#rows / rowsPerMs);
    this.#unplan = scheduler.after(endMs - scheduler.nowMs, () => this.#finish());
  }
}
