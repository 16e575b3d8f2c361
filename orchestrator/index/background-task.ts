import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { ClusterError, read } from './cluster-error.ts';
import { isUnseen } from './look.ts';
import { isPassing } from './patience.ts';
import { type SearchCalls, segment } from './search-calls.ts';

/** Work of a cluster that lasts as long as an index is large. No connection is held meanwhile. */
export interface BackgroundTask {
  /** The call's path, with its query. */
  readonly path: string;
  readonly body: unknown;
  /** The index that is worked on. One such task at a time works on it. */
  readonly index: string;
  /** The action as the cluster's list of tasks names it. */
  readonly action: string;
  /** What the task does, for messages: `forcemerge of books-1`. */
  readonly words: string;
}

export interface TaskWaiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called now and then with what is waited for. */
  readonly onWait?: ((words: string) => void) | undefined;
}

/** A task ended with an error. What it had done until then stands. */
export class TaskFailed extends RunFailed {
  constructor({ words }: BackgroundTask, error: unknown) {
    const said = `${String(read(error, 'type'))}: ${String(read(error, 'reason'))}`;
    super(`${words} failed: ${said} (look at the cluster's health, and run the same command again)`);
  }
}

const LEAST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** After a lost answer, the task may need this long to appear in the list. */
const APPEARS_AFTER_MS = 1_000;
const FIRST_WORDS_AFTER_MS = 10_000;
const NEXT_WORDS_AFTER_MS = 60_000;
/** The longest time that one task may take. */
const TASK_TIMEOUT_MS = 6 * 3_600_000;

/**
 * Has a cluster do work in the background, and asks for its end. First it waits for a task of the same kind that works
 * on the index: an earlier process may have begun it. The call is sent once, and a lost answer never makes a second task
 * beside the first.
 *
 * A user who may not see tasks, or a product that shows none or knows no background, holds the connection instead.
 *
 * @returns the task's answer; null when it has ended and nobody knows how, so the caller looks at what it did
 */
export async function runInBackground(
  cluster: SearchCalls,
  task: BackgroundTask,
  waiting: TaskWaiting,
): Promise<unknown> {
  const seen = await untilNoneRuns(cluster, task, waiting);
  if (seen === 'forbidden') return inForeground(cluster, task, waiting);
  try {
    const path = `${task.path}${task.path.includes('?') ? '&' : '?'}wait_for_completion=false`;
    const begun = await cluster.call('POST', path, task.body, once(task, waiting));
    const id = read(begun, 'task');
    return typeof id === 'string' ? await untilEnded(cluster, task, id, waiting) : begun;
  } catch (error) {
    if (isUnknownParameter(error)) return inForeground(cluster, task, waiting);
    return afterLostAnswer(cluster, task, waiting, error);
  }
}

async function inForeground(
  cluster: SearchCalls,
  task: BackgroundTask,
  waiting: TaskWaiting,
): Promise<unknown> {
  try {
    const options = { ...once(task, waiting), timeoutMs: TASK_TIMEOUT_MS };
    return await cluster.call('POST', task.path, task.body, options);
  } catch (error) {
    return afterLostAnswer(cluster, task, waiting, error);
  }
}

/** Waits for a task that may have begun though its call failed. Throws what another look does not help. */
async function afterLostAnswer(
  cluster: SearchCalls,
  task: BackgroundTask,
  waiting: TaskWaiting,
  error: unknown,
): Promise<null> {
  if (!isPassing(error)) throw error;
  await waiting.clock.sleep(APPEARS_AFTER_MS, waiting.signal);
  if ((await untilNoneRuns(cluster, task, waiting)) === 'none') return null;
  throw new RunFailed(
    `${task.words}: the answer was lost, and this user may not see whether the cluster still works on it. Allow cluster:monitor/tasks/lists, or wait until it has ended, and run the same command again: ${error.message}`,
    { cause: error },
  );
}

async function untilNoneRuns(
  cluster: SearchCalls,
  task: BackgroundTask,
  waiting: TaskWaiting,
): Promise<'none' | 'forbidden'> {
  const path = `/_tasks?actions=${encodeURIComponent(task.action)}&detailed=true&group_by=none`;
  const pauses = new Pauses(task, waiting);
  for (;;) {
    try {
      const tasks = read(await cluster.call('GET', path, null, { signal: waiting.signal }), 'tasks');
      const all = typeof tasks === 'object' && tasks !== null ? Object.values(tasks) : [];
      if (!all.some((one) => read(read(one, 'headers'), 'X-Opaque-Id') === markOf(task))) return 'none';
    } catch (error) {
      if (isUnseen(error)) return 'forbidden';
      throw error;
    }
    await pauses.next();
  }
}

/** Asks for a task until it has ended. A task that is gone, with its node, has ended too. */
async function untilEnded(
  cluster: SearchCalls,
  task: BackgroundTask,
  id: string,
  waiting: TaskWaiting,
): Promise<unknown> {
  const pauses = new Pauses(task, waiting);
  for (;;) {
    const state = await cluster
      .callOrNull('GET', `/_tasks/${segment(id)}`, null, { signal: waiting.signal })
      .catch(async (error: unknown) => {
        // Who may list tasks, and not look at one, sees when it is gone.
        if (isUnseen(error) && (await untilNoneRuns(cluster, task, waiting)) === 'none') return null;
        throw error;
      });
    if (state === null) return null;
    if (read(state, 'completed') === true) {
      const error = read(state, 'error');
      if (error !== undefined) throw new TaskFailed(task, error);
      return read(state, 'response') ?? null;
    }
    await pauses.next();
  }
}

/** The pauses between two looks at a task. They grow, and a long task is told now and then. */
class Pauses {
  readonly #task: BackgroundTask;
  readonly #waiting: TaskWaiting;
  readonly #beganMs: number;
  #pauseMs = LEAST_PAUSE_MS;
  #wordsMs = FIRST_WORDS_AFTER_MS;

  constructor(task: BackgroundTask, waiting: TaskWaiting) {
    this.#task = task;
    this.#waiting = waiting;
    this.#beganMs = waiting.clock.monotonicMs();
  }

  async next(): Promise<void> {
    const { clock, signal, onWait } = this.#waiting;
    const lastedMs = clock.monotonicMs() - this.#beganMs;
    const lasted = `${Math.round(lastedMs / 1000)} s`;
    if (lastedMs > TASK_TIMEOUT_MS)
      throw new RunFailed(
        `${this.#task.words} has not ended after ${lasted}: look at GET /_tasks?actions=${this.#task.action}, and run the same command again`,
      );
    if (lastedMs >= this.#wordsMs) {
      this.#wordsMs = lastedMs + NEXT_WORDS_AFTER_MS;
      onWait?.(`waiting for the ${this.#task.words}, which has run for ${lasted}`);
    }
    await clock.sleep(this.#pauseMs, signal);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }
}

function once(task: BackgroundTask, { signal }: TaskWaiting) {
  return { signal, repeatable: false, mark: markOf(task) } as const;
}

/** By this mark every process of a run knows the tasks that work on its index. */
function markOf({ index }: BackgroundTask): string {
  return `reindex-fleet/${segment(index)}`;
}

/** Whether the engine is too old to do this work in the background. */
function isUnknownParameter(error: unknown): boolean {
  return (
    error instanceof ClusterError && error.status === 400 && error.message.includes('wait_for_completion')
  );
}
