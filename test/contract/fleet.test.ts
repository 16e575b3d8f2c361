import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import type { Fleet, FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import { LocalFleet, type LocalFleetOptions } from '../../orchestrator/fleet/local/local-fleet.ts';
import { endInstance } from '../aws/cloud-control.ts';
import { groupFleet } from '../aws/group-fleet.ts';
import { makeWorld } from '../aws/world.ts';
import { fleetOf, VirtualGroup } from '../simulation/group.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import type { TestScope } from '../support/run-setup.ts';
import { workersTold } from '../support/worker-pids.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/cities/cities.yaml', import.meta.url));
/** This token is for this test's processes alone. */
const TOKEN = `a-token-for-this-test-${process.pid}`;
/** Workers start without database or cluster: they have booted then and are not ready. */
const ENVIRONMENT = {
  REINDEX_WORKER_HOST: '127.0.0.1',
  REINDEX_WORKER_PORT: '0',
  REINDEX_WORKER_TOKEN: TOKEN,
  REINDEX_WORKER_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  REINDEX_WORKER_SEARCH_URL: 'http://127.0.0.1:1',
  REINDEX_WORKER_DEFINITIONS: EXAMPLE,
  REINDEX_WORKER_EXIT_WITH_PARENT: 'true',
};

/** A fleet, and a way to let time pass for it. */
interface Backend {
  readonly fleet: Fleet;
  readonly pass: () => Promise<void>;
  /** Whether an observation is never stale. */
  readonly exact: boolean;
  /** Ends an instance by itself. */
  readonly end: (instance: string) => Promise<void>;
  /** Opens the run's fleet as another process does that resumes the run. The run's journal says `desired`. */
  readonly again: (desired: number) => Fleet;
}

const LOCAL: LocalFleetOptions = {
  run: 'run-1',
  epoch: 1,
  pass: 1,
  desired: 0,
  isAccountedFor: false,
  environment: ENVIRONMENT,
};

async function endProcess(id: string): Promise<void> {
  const pids = await workersTold([`REINDEX_WORKER_ID=${id}`, `REINDEX_WORKER_TOKEN=${TOKEN}`]);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

/** What every fleet promises. Each backend runs through this suite, the simulated one too, so that it can be trusted. */
const BACKENDS: Record<string, (scope: TestScope) => Backend | Promise<Backend>> = {
  'local processes': () => ({
    fleet: new LocalFleet(LOCAL),
    pass: () => sleep(50),
    exact: true,
    end: endProcess,
    again: (desired) => new LocalFleet({ ...LOCAL, epoch: 2, desired }),
  }),
  'the group of the simulation': () => {
    const scheduler = new Scheduler();
    const timing = { reactMs: 1_000, bootMs: 5_000, shutdownMs: 3_000 };
    const nobody = { running: () => {}, gone: () => {} };
    const group = new VirtualGroup(scheduler, timing, nobody);
    group.run = 'run-1';
    return {
      fleet: fleetOf(group),
      pass: () => scheduler.run(scheduler.nowMs + 500, () => false),
      exact: false,
      end: async (instance) => group.crash(instance),
      again: () => fleetOf(group),
    };
  },
  ...(inject('awsUrl') === null ? {} : { 'an Auto Scaling group': openGroup }),
};

async function openGroup(scope: TestScope): Promise<Backend> {
  const world = await makeWorld(scope, { maximum: 4 });
  return {
    fleet: groupFleet(scope, world),
    pass: () => sleep(100),
    exact: false,
    end: (instance) => endInstance(world.awsUrl, instance, 'shutdown'),
    again: () => groupFleet(scope, world),
  };
}

describe.each(Object.entries(BACKENDS))('the fleet backend of %s', (_, open) => {
  let backend: Backend;
  let fleet: Fleet;
  const clean: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    backend = await open({ onTestFinished: (step) => clean.unshift(step) });
    fleet = backend.fleet;
  });
  afterEach(async () => {
    await fleet.close();
    for (const step of clean.splice(0)) await step();
  });

  it('is empty at first', async () => {
    expect(await fleet.observe()).toEqual({
      desired: 0,
      instances: [],
      exact: backend.exact,
      launchFault: null,
      launchFailures: [],
    });
  });

  it('launches as many instances of this run as desired, and says where they listen', async () => {
    await fleet.setDesired(2);
    const instances = await running(backend, 2);
    expect(new Set(instances.map(({ id }) => id)).size).toBe(2);
    expect(new Set(instances.map(({ url }) => url)).size).toBe(2);
    expect(instances.every(({ run }) => run === 'run-1')).toBe(true);
    expect(instances.every(({ misfit }) => misfit === null)).toBe(true);
    expect((await fleet.observe()).launchFailures).toEqual([]);
  });

  it('launches no more when the same capacity is set again', async () => {
    await fleet.setDesired(1);
    const before = await running(backend, 1);
    await fleet.setDesired(1);
    for (let i = 0; i < 10; i += 1) await backend.pass();
    expect(await running(backend, 1)).toEqual(before);
  });

  it('launches nothing when it is only observed', async () => {
    await fleet.setDesired(1);
    await running(backend, 1);
    const known = (await fleet.observe()).instances.length;
    for (let i = 0; i < 10; i += 1) expect((await fleet.observe()).instances).toHaveLength(known);
  });

  it('replaces an instance that ends by itself', async () => {
    await fleet.setDesired(1);
    const [first] = await running(backend, 1);
    await backend.end(first?.id ?? '');
    const isAnother = ({ id, phase }: FleetInstance): boolean => phase === 'running' && id !== first?.id;
    await until(async () => (await fleet.observe()).instances.some(isAnother), backend.pass);
    expect(await running(backend, 1)).toHaveLength(1);
    expect((await fleet.observe()).desired).toBe(1);
  });

  it('keeps its desired capacity when another process opens it', async () => {
    await fleet.setDesired(2);
    await running(backend, 2);
    await fleet.close();
    const again = backend.again(2);
    expect((await again.observe()).desired).toBe(2);
    const instances = await running({ ...backend, fleet: again }, 2);
    expect(instances.every(({ run }) => run === 'run-1')).toBe(true);
    await again.close();
  });

  it('releases an instance for good when it is terminated with decrement', async () => {
    await fleet.setDesired(2);
    const [first] = await running(backend, 2);
    await fleet.terminate(first?.id ?? '', { decrement: true });
    await ended(backend, ({ id }) => id !== first?.id);
    expect((await fleet.observe()).desired).toBe(1);
    expect(await running(backend, 1)).toHaveLength(1);
  });

  it('replaces an instance that is terminated without decrement, once even after a second call', async () => {
    await fleet.setDesired(1);
    const [first] = await running(backend, 1);
    await fleet.terminate(first?.id ?? '', { decrement: false });
    await harmlessly(fleet.terminate(first?.id ?? '', { decrement: false }));
    const [second] = await running(backend, 1);
    expect(second?.id).not.toBe(first?.id);
    expect((await fleet.observe()).desired).toBe(1);
  });

  it('ends no instance when the desired capacity is lowered below their number', async () => {
    await fleet.setDesired(2);
    const before = await running(backend, 2);
    await fleet.setDesired(1);
    for (let i = 0; i < 10; i += 1) await backend.pass();
    expect(await running(backend, 2)).toEqual(before);
  });

  it('lowers nothing when an instance that is gone is terminated again', async () => {
    await fleet.setDesired(2);
    const [first] = await running(backend, 2);
    await fleet.terminate(first?.id ?? '', { decrement: true });
    await ended(backend, ({ id }) => id !== first?.id);
    await harmlessly((async () => fleet.terminate(first?.id ?? '', { decrement: true }))());
    expect((await fleet.observe()).desired).toBe(1);
    expect(await running(backend, 1)).toHaveLength(1);
  });

  it('refuses to terminate an instance that it does not have', async () => {
    await expect(async () => fleet.terminate('nobody', { decrement: true })).rejects.toThrow(/nobody/);
    expect((await fleet.observe()).desired).toBe(0);
  });

  it('comes to zero when desired capacity and instances are ended', async () => {
    await fleet.setDesired(2);
    const instances = await running(backend, 2);
    await fleet.setDesired(0);
    for (const { id } of instances) await fleet.terminate(id, { decrement: false });
    await ended(backend, () => false);
    expect((await fleet.observe()).desired).toBe(0);
  });
});

describe('a local fleet', () => {
  it('runs workers that answer by the name of their instance', async () => {
    const fleet = new LocalFleet({ ...LOCAL, desired: 2 });
    const instances = await running({ fleet, pass: () => sleep(50) }, 2);
    const answers = await Promise.all(instances.map(({ url }) => fetch(`${url}/healthcheck`)));
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { worker_id: string }[];
    await fleet.close();
    expect(bodies.map((body) => body.worker_id)).toEqual(instances.map(({ id }) => id));
  });

  it('replaces a worker that ends by itself and keeps its last words', async () => {
    const environment = { ...ENVIRONMENT, REINDEX_WORKER_DATABASE_URL: 'nonsense' };
    const fleet = new LocalFleet({ ...LOCAL, desired: 1, environment });
    await until(async () => (await fleet.observe()).instances.length > 1);
    const { instances } = await fleet.observe();
    await fleet.close();
    expect(instances[0]?.detail).toMatch(/exit code 2[\s\S]*DATABASE_URL/);
  });

  it('replaces an ended worker without being observed, and never because of an observation', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const environment = { ...ENVIRONMENT, REINDEX_WORKER_DATABASE_URL: 'nonsense' };
    const fleet = new LocalFleet({ ...LOCAL, desired: 1, environment });
    onTestFinished(() => fleet.close());
    const looked = async (): Promise<number> => (await fleet.observe()).instances.length;
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    await until(async () => (await fleet.observe()).instances.every(({ phase }) => phase === 'gone'), turn);
    expect([await looked(), await looked()]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await looked()).toBe(2);
  });

  it('replaces a failing worker only once while nobody observes it', async () => {
    const environment = { ...ENVIRONMENT, REINDEX_WORKER_DATABASE_URL: 'nonsense' };
    const fleet = new LocalFleet({ ...LOCAL, desired: 1, environment });
    onTestFinished(() => fleet.close());
    // This leaves time for more of them. On a machine that is too busy the test shows nothing.
    await sleep(4_000);
    const { instances } = await fleet.observe();
    expect(instances.length).toBeLessThanOrEqual(2);
    await until(async () => (await fleet.observe()).instances.length > 2);
  });

  it('tells when workers were launched and ended when they are accounted for', async () => {
    const fleet = new LocalFleet({ ...LOCAL, desired: 1, isAccountedFor: true });
    const [first] = await running({ fleet, pass: () => sleep(50) }, 1);
    await fleet.setDesired(0);
    await fleet.terminate(first?.id ?? '', { decrement: false });
    await ended({ fleet, pass: () => sleep(50) }, () => false);
    const { instances } = await fleet.observe();
    const [last] = instances;
    expect(first).toMatchObject({ launchedAt: last?.launchedAt, endedAt: null });
    expect(Date.parse(last?.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(last?.launchedAt ?? ''));
    await fleet.close();
  });

  it('ends with its orchestrator, even when that is killed with SIGKILL', async () => {
    const script = `
      import { LocalFleet } from ${JSON.stringify(new URL('../../orchestrator/fleet/local/local-fleet.ts', import.meta.url).href)};
      const fleet = new LocalFleet(${JSON.stringify({ ...LOCAL, desired: 1 })});
      for (;;) {
        const { instances } = await fleet.observe();
        if (instances[0].url !== null) { console.log(instances[0].url); break; }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
    expect((await fetch(`${url}/healthcheck`)).status).toBe(503);
    parent.kill('SIGKILL');
    await until(() =>
      fetch(`${url}/healthcheck`).then(
        () => false,
        () => true,
      ),
    );
  });
});

/** The call may be refused, because its effect is there already. */
function harmlessly(call: Promise<void>): Promise<void> {
  return call.catch(() => {});
}

/** Lets time pass until so many instances run and listen. */
async function running(
  backend: Pick<Backend, 'fleet' | 'pass'>,
  count: number,
): Promise<readonly FleetInstance[]> {
  let found: readonly FleetInstance[] = [];
  await until(async () => {
    const { instances } = await backend.fleet.observe();
    found = instances.filter(({ phase, url }) => phase === 'running' && url !== null);
    return found.length === count;
  }, backend.pass);
  return found;
}

/** Lets time pass until every instance has gone except those that may stay. */
function ended(
  backend: Pick<Backend, 'fleet' | 'pass'>,
  mayStay: (instance: FleetInstance) => boolean,
): Promise<void> {
  return until(async () => {
    const { instances } = await backend.fleet.observe();
    return instances.every((instance) => instance.phase === 'gone' || mayStay(instance));
  }, backend.pass);
}

async function until(condition: () => Promise<boolean>, pass = () => sleep(50)): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('not within 30 s');
    await pass();
  }
}
