import type { Observation, WorkerAnswer } from '../reconcile/observation.ts';
import type { RunState } from '../reconcile/state.ts';
import { messageOf } from '../errors.ts';
import type { Fleet, FleetInstance } from './fleet.ts';
import type { WorkerCalls } from './worker-client.ts';

/** What is known of the calls of the last tick before anybody looks. */
export type Outcome = Pick<Observation, 'refusals' | 'untold'>;

export const NOTHING_REFUSED: Outcome = { refusals: [], untold: new Set() };

/** One look at the whole fleet: the group, then every running worker in parallel. */
export async function observeFleet(
  fleet: Fleet,
  client: WorkerCalls,
  state: RunState,
  { refusals, untold }: Outcome,
  now: Date,
): Promise<{ observation: Observation; urls: ReadonlyMap<string, string> }> {
  const { desired, instances, exact, launchFault, launchFailures } = await fleet.observe();
  const reachable = instances.filter((instance) => instance.phase === 'running' && instance.url !== null);
  const tasks = tasksByInstance(state);
  const answers = await Promise.all(
    reachable.map(
      async (instance) =>
        [instance.id, await pollWorker(client, instance, tasks.get(instance.id) ?? [])] as const,
    ),
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
    const { ready, draining, build, worker_id: workerId } = health;
    return { reachable: true, ready, draining, build, workerId, tasks };
  } catch (error) {
    return { reachable: false, error: messageOf(error) };
  }
}

function tasksByInstance(state: RunState): Map<string, string[]> {
  const tasks = new Map<string, string[]>();
  for (const { status, instance, task } of state.open.values()) {
    if (status !== 'assigned' || instance === null || task === null) continue;
    tasks.set(instance, [...(tasks.get(instance) ?? []), task]);
  }
  return tasks;
}
