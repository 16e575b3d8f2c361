import { describe, expect, it } from 'vitest';
import type { FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import { NOTHING_REFUSED, observeFleet } from '../../orchestrator/fleet/observe.ts';
import type { WorkerCalls } from '../../orchestrator/fleet/worker-client.ts';
import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';
import { emptyState } from '../../orchestrator/reconcile/state.ts';

describe('a look at 1,000 workers', () => {
  it('asks each worker, at most 250 at a time', async () => {
    const workers = new CountedWorkers();
    const instances = Array.from({ length: 1_000 }, (_, i) => running(`i-${i}`));
    const fleet = { observe: async () => ({ desired: 1_000, exact: false, ...PLAIN_FLEET, instances }) };
    const { observation } = await observeFleet(
      { fleet, workers },
      emptyState(),
      NOTHING_REFUSED,
      new Date(0),
    );
    expect(observation.workers.size).toBe(1_000);
    expect([...observation.workers.values()].every(({ reachable }) => reachable)).toBe(true);
    expect(workers.most).toBe(250);
  });
});

function running(id: string): FleetInstance {
  return { id, phase: 'running', run: 'run-1', ...PLAIN_INSTANCE, url: `http://${id}` };
}

class CountedWorkers implements WorkerCalls {
  most = 0;
  #now = 0;

  async health(url: string): Promise<Awaited<ReturnType<WorkerCalls['health']>>> {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await new Promise((resolve) => void setImmediate(resolve));
    this.#now -= 1;
    return { status: 'ok', build: 'build-1', worker_id: url, draining: false, ready: true };
  }

  task = unasked;
  post = unasked;
  cut = unasked;
  cancel = unasked;
}

function unasked(): Promise<never> {
  return Promise.reject(new Error('nobody has a task'));
}
