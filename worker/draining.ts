import type { TaskStatus } from './contract.ts';
import { Refusal } from './refusal.ts';
import type { Schedule } from './schedule.ts';

export interface DrainingOptions {
  /** The worker's tasks; a task that is over gives the same object each time. */
  readonly tasks: { list(): readonly TaskStatus[] };
  /** How long after the last task's end the worker waits for an orchestrator to see how its tasks ended. */
  readonly lingerMs: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly schedule: Schedule;
  /** Called once, with the reason as a clause: nothing keeps the worker any more. */
  readonly onDrained: (why: string) => void;
}

/**
 * A worker's way to an orderly end: it takes no new task and goes on with those that it has. Whoever begins it decides who
 * ends the worker:
 *
 *   `begin`       The worker ends itself (its machine is about to be taken back). It is drained when each task is over and
 *                 an orchestrator knows how it ended, or when none has asked for a while. So settled rows are not read
 *                 again for want of one poll, and nothing waits for ever.
 *   `takeNoMore`  An orchestrator ends the worker, whose group must not launch another in its place. Until then the worker
 *                 answers. If the orchestrator never comes, the worker's lease ends it.
 */
export class Draining {
  readonly #options: DrainingOptions;
  /** Final statuses that an orchestrator was given. */
  readonly #seen = new WeakSet<TaskStatus>();
  #state: 'not begun' | 'takes no more' | 'begun' | 'ended' = 'not begun';
  #lastEndMs: number;
  #cancel: (() => void) | null = null;

  constructor(options: DrainingOptions) {
    this.#options = options;
    this.#lastEndMs = options.now();
  }

  get begun(): boolean {
    return this.#state !== 'not begun';
  }

  /** Begins, once however often it is asked for. The worker ends itself after its last task. */
  begin(): void {
    if (this.#state !== 'ended') this.#state = 'begun';
    this.#check();
  }

  /** Takes no new task from now on. Gives the number of tasks that go on, running and waiting. */
  takeNoMore(): number {
    if (this.#state === 'not begun') this.#state = 'takes no more';
    return this.#options.tasks.list().filter(({ active }) => active).length;
  }

  /** @throws Refusal 503 for a task that is not known here, once draining has begun */
  refuseNew(taskId: string): void {
    if (!this.begun || this.#options.tasks.list().some((task) => task.task_id === taskId)) return;
    throw new Refusal(503, 'This worker drains: it goes on with the tasks that it has and takes no new one.');
  }

  /** To be told when a task is over. */
  taskEnded(): void {
    this.#lastEndMs = this.#options.now();
    this.#check();
  }

  /** To be told of each status that an orchestrator is given. */
  statusGiven(status: TaskStatus): void {
    if (status.active) return;
    this.#seen.add(status);
    this.#check();
  }

  /** Acts no more. */
  end(): void {
    this.#state = 'ended';
    this.#cancel?.();
    this.#cancel = null;
  }

  #check(): void {
    if (this.#state !== 'begun') return;
    const tasks = this.#options.tasks.list();
    if (tasks.some(({ active }) => active)) return;
    if (tasks.every((task) => this.#seen.has(task))) return this.#drained('how each task ended is known');
    const leftMs = this.#lastEndMs + this.#options.lingerMs - this.#options.now();
    if (leftMs > 0) this.#cancel ??= this.#options.schedule(Math.ceil(leftMs), () => this.#lookAgain());
    else this.#drained(`nobody asked how the last task ended for ${this.#options.lingerMs} ms`);
  }

  #lookAgain(): void {
    this.#cancel = null;
    this.#check();
  }

  #drained(what: string): void {
    this.end();
    this.#options.onDrained(`drained: no task is left, and ${what}`);
  }
}
