import type { TaskStatus } from './contract.ts';
import { Refusal } from './refusal.ts';
import type { Schedule } from './schedule.ts';

export interface DrainingOptions {
  /** The worker's tasks. An ended task is always the same object. */
  readonly tasks: { list(): readonly TaskStatus[] };
  /** How long the worker waits after its last task for an orchestrator to ask how its tasks ended. */
  readonly lingerMs: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly schedule: Schedule;
  /** Called once when the worker is drained, with the reason as a clause. */
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

  /** @throws Refusal 503 for a new task, after draining has begun */
  refuseNew(taskId: string): void {
    if (!this.begun || this.#options.tasks.list().some((task) => task.task_id === taskId)) return;
    throw new Refusal(
      503,
      'This worker drains. It goes on with the tasks that it has, and takes no new one. Post the task to another worker.',
    );
  }

  /** The caller reports each task that is over. */
  taskEnded(): void {
    this.#lastEndMs = this.#options.now();
    this.#check();
  }

  /** The caller reports each status that an orchestrator gets. */
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
    if (tasks.every((task) => this.#seen.has(task)))
      return this.#drained('an orchestrator knows how each task ended');
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
    this.#options.onDrained(`the worker is drained: no task is left, and ${what}`);
  }
}
