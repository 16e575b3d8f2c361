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

/** Looks once at the whole fleet: first the group, then every running worker, many at a time. */
export async function observeFleet(
  { fleet, workers: client }: { readonly fleet: Pick<Fleet, 'observe'>; readonly workers: WorkerCalls },
  state: Pick<RunState, 'open'>,
  { refusals, untold }: Outcome,
  now: Date,
): Promise<{ observation: Observation; urls: ReadonlyMap<string, string> }> {
  const { desired, instances, exact, launchFault, launchFailures } = await fleet.observe();
  const reachable = instances.filter((instance) => instance.phase === 'running' && instance.url !== null);
  const tasks = tasksByInstance(state);
  const answers = await sideBySide(
    reachable,
    POLLED_AT_ONCE,
    async (instance) =>
      [instance.id, await pollWorker(client, instance, tasks.get(instance.id) ?? [])] as const,
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

function ignore(): void {}

async function pollWorker(
  client: WorkerCalls,
  instance: FleetInstance,
  taskIds: readonly string[],
): Promise<WorkerAnswer> {
  const url = instance.url ?? '';
  try {
    const [health, ...statuses] = await Promise.all([
      client.health(url),
      ...taskIds.map((task) => client.task(url, task)),
    ]);
    const tasks = Object.fromEntries(taskIds.map((task, i) => [task, statuses[i] ?? null]));
    const { ready, unreachable = [], draining, build, worker_id: workerId } = health;
    return { reachable: true, ready, unreachable, draining, build, workerId, tasks };
  } catch (error) {
    return { reachable: false, error: messageOf(error) };
  }
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
