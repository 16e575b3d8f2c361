import type { TaskStatus } from '../../worker/contract.ts';
import type { Observation, WorkerAnswer } from '../reconcile/observation.ts';
import type { RunState } from '../reconcile/state.ts';
import { messageOf } from '../errors.ts';
import { sideBySide } from '../side-by-side.ts';
import type { Fleet, FleetInstance } from './fleet.ts';
import type { WorkerCalls } from './worker-client.ts';

/** What is known of the last tick's calls before the next look. */
export type Outcome = Pick<Observation, 'refusals' | 'untold'>;

export const NOTHING_REFUSED: Outcome = { refusals: [], untold: new Set() };

/**
 * How many workers are asked at the same time. A call's time begins when it is made. With 1,000 calls at once on a busy
 * machine, answers were read too late, and their workers counted as not answering. If none of 1,000 workers answers, a
 * look takes four times the longest call. That is less than the time after which a worker counts as lost.
 */
const POLLED_AT_ONCE = 250;

/** Whom a look asks. */
export interface Looking {
  readonly fleet: Pick<Fleet, 'observe'>;
  readonly workers: WorkerCalls;
  /**
   * Instances whose worker answered the last look and had no task but the run's. Any other worker is adopted: it is asked
   * for all its tasks, for it may have been given some by an earlier process, or while this one did not hear it.
   */
  readonly adopted: ReadonlySet<string>;
}

export interface Seen {
  readonly observation: Observation;
  readonly urls: ReadonlyMap<string, string>;
  /** For the next look. */
  readonly adopted: ReadonlySet<string>;
}

/** Looks once at the whole fleet: first the group, then every running worker, many at a time. */
export async function observeFleet(
  { fleet, workers: client, adopted }: Looking,
  state: Pick<RunState, 'open'>,
  { refusals, untold }: Outcome,
  now: Date,
): Promise<Seen> {
  const { desired, instances, exact, launchFault, launchFailures } = await fleet.observe();
  const reachable = instances.filter((instance) => instance.phase === 'running' && instance.url !== null);
  const tasks = tasksByInstance(state);
  const answers = await sideBySide(
    reachable,
    POLLED_AT_ONCE,
    async (instance) =>
      [
        instance.id,
        await pollWorker(client, instance, {
          taskIds: tasks.get(instance.id) ?? [],
          isAdopted: adopted.has(instance.id),
        }),
      ] as const,
  );
  return {
    observation: {
      at: now.toISOString(),
      desired,
      instances,
      exact,
      launchFault,
      launchFailures,
      workers: new Map(answers),
      refusals,
      untold,
    },
    urls: new Map(
      instances.flatMap((instance) => (instance.url === null ? [] : [[instance.id, instance.url]])),
    ),
    adopted: new Set(answers.filter(([id, answer]) => isAdoptedBy(id, answer)).map(([id]) => id)),
  };
}

/**
 * Renews the workers' leases while the fleet itself cannot be seen. That may last longer than a lease, and only an
 * orchestrator's calls renew one.
 */
export async function renewLeases(
  client: Pick<WorkerCalls, 'health'>,
  urls: readonly string[],
): Promise<void> {
  await sideBySide(urls, POLLED_AT_ONCE, (url) => client.health(url).then(ignore, ignore));
}

/** Drains workers, many at a time. One that cannot be drained in the time of a call is ended as it is. */
export async function drainEach(client: Pick<WorkerCalls, 'drain'>, urls: readonly string[]): Promise<void> {
  await sideBySide(urls, POLLED_AT_ONCE, (url) => client.drain(url).then(ignore, ignore));
}

function ignore(): void {}

/** A worker that still has tasks of others is asked again, until they are over. */
function isAdoptedBy(instance: string, answer: WorkerAnswer): boolean {
  return answer.reachable && answer.workerId === instance && answer.strayTasks.length === 0;
}

async function pollWorker(
  client: WorkerCalls,
  instance: FleetInstance,
  { taskIds, isAdopted }: { readonly taskIds: readonly string[]; readonly isAdopted: boolean },
): Promise<WorkerAnswer> {
  const url = instance.url ?? '';
  try {
    const [health, statuses] = await Promise.all([
      client.health(url),
      isAdopted ? statusesOf(client, url, taskIds) : client.tasks(url),
    ]);
    const known = new Map(statuses.map((status) => [status.task_id, status]));
    const tasks = Object.fromEntries(taskIds.map((task) => [task, known.get(task) ?? null]));
    const strayTasks = statuses
      .filter(({ task_id: task, active }) => active && !taskIds.includes(task))
      .map(({ task_id: task }) => task);
    const { ready, unreachable = [], draining, build, worker_id: workerId } = health;
    return { reachable: true, ready, unreachable, draining, build, workerId, tasks, strayTasks };
  } catch (error) {
    return { reachable: false, error: messageOf(error) };
  }
}

async function statusesOf(
  client: WorkerCalls,
  url: string,
  taskIds: readonly string[],
): Promise<readonly TaskStatus[]> {
  const statuses = await Promise.all(taskIds.map((task) => client.task(url, task)));
  return statuses.filter((status) => status !== null);
}

function tasksByInstance(state: Pick<RunState, 'open'>): Map<string, string[]> {
  const tasks = new Map<string, string[]>();
  for (const range of state.open.values()) {
    if (range.status !== 'assigned') continue;
    const { instance, task } = range;
    tasks.set(instance, [...(tasks.get(instance) ?? []), task]);
  }
  return tasks;
}
