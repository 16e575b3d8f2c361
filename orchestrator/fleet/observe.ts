import type { Observation, TaskRefusal, WorkerAnswer } from '../reconcile/observation.ts';
import type { RunState } from '../reconcile/state.ts';
import { messageOf } from '../errors.ts';
import type { Fleet, FleetInstance } from './fleet.ts';
import type { WorkerClient } from './worker-client.ts';

/** One look at the whole fleet: the group, then every running worker in parallel. */
export async function observeFleet(
  fleet: Fleet,
  client: WorkerClient,
  state: RunState,
  refusals: readonly TaskRefusal[],
): Promise<{ observation: Observation; urls: ReadonlyMap<string, string> }> {
  const { desired, instances } = await fleet.observe();
  const reachable = instances.filter((instance) => instance.phase === 'running' && instance.url !== null);
  const tasks = tasksByInstance(state);
  const answers = await Promise.all(
    reachable.map(
      async (instance) =>
        [instance.id, await pollWorker(client, instance, tasks.get(instance.id) ?? [])] as const,
    ),
  );
  return {
    observation: { desired, instances, workers: Object.fromEntries(answers), refusals },
    urls: new Map(
      instances.flatMap((instance) => (instance.url === null ? [] : [[instance.id, instance.url]])),
    ),
  };
}

async function pollWorker(
  client: WorkerClient,
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
    return { reachable: true, ready: health.ready, build: health.build, workerId: health.worker_id, tasks };
  } catch (error) {
    return { reachable: false, error: messageOf(error) };
  }
}

function tasksByInstance(state: RunState): Map<string, string[]> {
  const tasks = new Map<string, string[]>();
  for (const { status, instance, task } of Object.values(state.ranges)) {
    if (status !== 'assigned' || instance === null || task === null) continue;
    tasks.set(instance, [...(tasks.get(instance) ?? []), task]);
  }
  return tasks;
}
