import { fork } from 'node:child_process';
import { once } from 'node:events';
import { observeFleet, NOTHING_REFUSED } from '../../orchestrator/fleet/observe.ts';
import { WorkerClient } from '../../orchestrator/fleet/worker-client.ts';
import type { Fleet, FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';
import type { AssignedRange } from '../../orchestrator/reconcile/range-state.ts';
import { emptyState, type RunState } from '../../orchestrator/reconcile/state.ts';

/**
 * A round of calls to 1,000 workers over real sockets: health and two tasks of each, as a busy worker is asked. Another
 * process answers for all of them, each at its own address.
 */
export interface PollRounds {
  /** The times in milliseconds, in order. The first round makes the connections. */
  readonly rounds: readonly number[];
  readonly sockets: number;
  readonly unreachable: number;
}

const ROUNDS = 10;
const TASKS_PER_WORKER = 2;
/** The value of `workers.call_timeout_ms`: a worker that takes longer counts as not answering. */
const CALL_TIMEOUT_MS = 5_000;

/** @param pauseMs the pause between two rounds, as between two ticks */
export async function measurePollRounds(workers: number, pauseMs: number): Promise<PollRounds> {
  const answerer = fork(new URL('./poll-answerer.ts', import.meta.url), [String(workers)]);
  const client = new WorkerClient({ run: 'run', epoch: 1, token: 'token', timeoutMs: CALL_TIMEOUT_MS });
  try {
    const [ports] = (await once(answerer, 'message')) as [number[]];
    const fleet = fleetAt(ports);
    const state = stateOf(ports);
    const { instances } = await fleet.observe();
    const adopted = new Set(instances.map(({ id }) => id));
    const rounds: number[] = [];
    let unreachable = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const startMs = performance.now();
      const { observation } = await observeFleet(
        { fleet, workers: client, adopted },
        state,
        NOTHING_REFUSED,
        new Date(),
      );
      rounds.push(performance.now() - startMs);
      unreachable += [...observation.workers.values()].filter(({ reachable }) => !reachable).length;
      await new Promise((resolve) => void setTimeout(resolve, pauseMs));
    }
    answerer.send('sockets');
    const [sockets] = (await once(answerer, 'message')) as [number];
    return { rounds, sockets, unreachable };
  } finally {
    answerer.kill();
    await client.close();
  }
}

function fleetAt(ports: readonly number[]): Pick<Fleet, 'observe'> {
  const instances = ports.map(
    (port): FleetInstance => ({
      id: `i-${port}`,
      phase: 'running',
      run: 'run',
      ...PLAIN_INSTANCE,
      url: `http://127.0.0.1:${port}`,
    }),
  );
  return { observe: async () => ({ desired: ports.length, instances, exact: false, ...PLAIN_FLEET }) };
}

function stateOf(ports: readonly number[]): Pick<RunState, 'open'> {
  const open = new Map(emptyState().open);
  for (const port of ports)
    for (let task = 1; task <= TASKS_PER_WORKER; task += 1) {
      const range = rangeOf(`i-${port}`, `${port}-${task}`);
      open.set(range.id, range);
    }
  return { open };
}

function rangeOf(instance: string, id: string): AssignedRange {
  return {
    id,
    start: '0',
    end: '1',
    rows: 1,
    bytes: 1,
    status: 'assigned',
    attempt: 1,
    charged: 0,
    instance,
    task: id,
    cutAt: null,
    lastReason: null,
  };
}
