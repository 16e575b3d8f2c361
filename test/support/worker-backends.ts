import { type WorkerCalls, WorkerClient } from '../../orchestrator/fleet/worker-client.ts';
import type { TaskRequest } from '../../worker/contract.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { PacedWorkers } from '../simulation/paced-workers.ts';
import { VirtualPorts } from '../simulation/ports.ts';
import { prepareWorlds } from '../simulation/run-world.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { strayTask } from '../simulation/stray-task.ts';
import { VIRTUAL_PIN } from '../simulation/virtual-aws.ts';
import { World } from '../simulation/world.ts';
import { fleetPinOf } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import { sketchDefinition } from './definitions.ts';
import { taskRequest, type testServices } from './worker-service.ts';

/** One worker behind the port by which an orchestrator calls workers, with nothing to do. */
export interface WorkerBackend {
  readonly calls: WorkerCalls;
  readonly url: string;
  /** A task that the worker takes and works on for long. */
  readonly task: (id: string) => TaskRequest;
  /** Lets time pass until an answer is there. */
  until<T>(answer: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const RUN = 'run-1';
const EPOCH = 3;

/** The service of the real worker over HTTP, by the real client. */
export async function realWorker(serve: ReturnType<typeof testServices>): Promise<WorkerBackend> {
  const { url } = await serve();
  const calls = new WorkerClient({ run: RUN, epoch: EPOCH, token: 'none', timeoutMs: 5_000 });
  return {
    calls,
    url,
    task: (id) => taskRequest({ task_id: id, range_id: id }),
    until: (answer) => answer,
    close: () => calls.close(),
  };
}

/** The workers of large fleets in virtual time. */
export async function pacedWorker(): Promise<WorkerBackend> {
  const scheduler = new Scheduler();
  const definition = sketchDefinition({ source: { table: 'things' }, document: { id: 'row.id' } });
  const calls = new PacedWorkers({
    scheduler,
    build: 'build-1',
    definition,
    rowsPerSecond: 1,
    startMs: 0,
    answerMs: 1,
  });
  calls.running('worker-1');
  await scheduler.run(1, () => false);
  const digest = `${digestDefinition(definition)}.${'0'.repeat(32)}`;
  const task = (id: string): TaskRequest => {
    const request = taskRequest({
      task_id: id,
      range_id: id,
      definition: definition.name,
      definition_digest: digest,
    });
    const targets = request.targets.map((target) => ({
      ...target,
      definition: definition.name,
      definition_digest: digest,
    }));
    return { ...request, targets };
  };
  return { calls, url: 'http://worker-1', task, until: untilBy(scheduler), close: () => Promise.resolve() };
}

/** The workers of the simulation, behind its ports. */
export async function simulatedWorker(): Promise<WorkerBackend> {
  const setting = await prepareWorlds();
  const world = new World({ seed: 1, faults: [] }, setting);
  const process = world.newProcess('orchestrator');
  const ports = new VirtualPorts(world, process, new AbortController().signal, (kind, what, perform) =>
    process.call(world.passage(kind, what), perform),
  );
  const fleet = ports.fleet(RUN);
  const until = untilBy(world.scheduler);
  await until(fleet.setDesired(1));
  await world.scheduler.run(world.scheduler.nowMs + 60_000, () => world.workers.liveWorkers.length > 0);
  const [worker] = world.workers.liveWorkers;
  if (worker === undefined) throw new Error('no worker came up');
  const { id } = worker.options;
  const pin = fleetPinOf({ ...VIRTUAL_PIN, image: world.group.image });
  const { calls } = ports.workers({
    run: RUN,
    startedAt: '2026-01-01T00:00:00.000Z',
    pin,
    epoch: EPOCH,
    pass: 1,
    state: () => ({ cleared: null, desired: 1 }),
    sourceUrl: 'virtual',
    targetUrl: 'virtual',
  });
  // The database is down: a task waits for it, and goes on for as long as the test wants.
  world.table.down = true;
  return {
    calls,
    url: `virtual:${id}`,
    task: (task) => ({ ...strayTask(id, RUN, world.described), task_id: task, range_id: task }),
    until,
    close: () => Promise.resolve(),
  };
}

const LONG_MS = 60_000;

function untilBy(scheduler: Scheduler): WorkerBackend['until'] {
  return async (answer) => {
    let isOver = false;
    const over = answer.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    await new Promise((resolve) => void setImmediate(resolve));
    await scheduler.run(scheduler.nowMs + LONG_MS, () => isOver);
    return over;
  };
}
