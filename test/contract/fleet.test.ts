import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fleet, FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import { LocalFleet } from '../../orchestrator/fleet/local-fleet.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/cities/cities.yaml', import.meta.url));
/** Workers come up without database or cluster: they are booted then, but not ready. */
const ENVIRONMENT = {
  REINDEX_WORKER_HOST: '127.0.0.1',
  REINDEX_WORKER_PORT: '0',
  REINDEX_WORKER_TOKEN: 'a-token-for-this-test',
  REINDEX_WORKER_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  REINDEX_WORKER_SEARCH_URL: 'http://127.0.0.1:1',
  REINDEX_WORKER_DEFINITIONS: EXAMPLE,
  REINDEX_WORKER_EXIT_WITH_PARENT: 'true',
};

/** What every fleet promises. Each backend is run through the same suite. */
const BACKENDS: Record<string, () => Fleet> = {
  'local processes': () => new LocalFleet({ run: 'run-1', epoch: 1, pass: 1, environment: ENVIRONMENT }),
};

describe.each(Object.entries(BACKENDS))('fleet: %s', (_, open) => {
  let fleet: Fleet;

  beforeEach(() => {
    fleet = open();
  });
  afterEach(() => fleet.close());

  it('is empty at first', async () => {
    expect(await fleet.observe()).toEqual({ desired: 0, instances: [] });
  });

  it('launches as many instances as desired, of this run, and says where they listen', async () => {
    await fleet.setDesired(2);
    const instances = await running(fleet, 2);
    expect(new Set(instances.map(({ id }) => id)).size).toBe(2);
    expect(instances.every(({ run }) => run === 'run-1')).toBe(true);
    const answers = await Promise.all(instances.map(({ url }) => fetch(`${url}/healthcheck`)));
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { worker_id: string }[];
    expect(bodies.map((body) => body.worker_id)).toEqual(instances.map(({ id }) => id));
  });

  it('lets an instance go for good with decrement, however often it is told', async () => {
    await fleet.setDesired(2);
    const [first] = await running(fleet, 2);
    await fleet.terminate(first?.id ?? '', { decrement: true });
    await fleet.terminate(first?.id ?? '', { decrement: true });
    await settled(fleet, ({ id }) => id !== first?.id);
    expect((await fleet.observe()).desired).toBe(1);
    expect(await running(fleet, 1)).toHaveLength(1);
  });

  it('puts another in the place of one that is terminated without decrement', async () => {
    await fleet.setDesired(1);
    const [first] = await running(fleet, 1);
    await fleet.terminate(first?.id ?? '', { decrement: false });
    const [second] = await running(fleet, 1);
    expect(second?.id).not.toBe(first?.id);
    expect((await fleet.observe()).desired).toBe(1);
  });

  it('reaches zero', async () => {
    await fleet.setDesired(2);
    const instances = await running(fleet, 2);
    await fleet.setDesired(0);
    for (const { id } of instances) await fleet.terminate(id, { decrement: false });
    await settled(fleet, () => false);
    expect((await fleet.observe()).desired).toBe(0);
  });
});

describe('local processes', () => {
  it('replaces a worker that ends by itself and keeps its last words', async () => {
    const fleet = new LocalFleet({
      run: 'run-1',
      epoch: 1,
      pass: 1,
      environment: { ...ENVIRONMENT, REINDEX_WORKER_DATABASE_URL: 'nonsense' },
    });
    await fleet.setDesired(1);
    await until(async () => (await fleet.observe()).instances.some(({ phase }) => phase === 'gone'));
    const { instances } = await fleet.observe();
    await fleet.close();
    expect(instances[0]?.detail).toMatch(/exit code 2[\s\S]*DATABASE_URL/);
    expect(instances.length).toBeGreaterThan(1);
  });

  it('ends with its orchestrator, also by kill -9', async () => {
    const script = `
      import { LocalFleet } from ${JSON.stringify(new URL('../../orchestrator/fleet/local-fleet.ts', import.meta.url).href)};
      const fleet = new LocalFleet({ run: 'r', epoch: 1, pass: 1, environment: ${JSON.stringify(ENVIRONMENT)} });
      await fleet.setDesired(1);
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

/** Waits until so many instances run and listen. */
async function running(fleet: Fleet, count: number): Promise<readonly FleetInstance[]> {
  let found: readonly FleetInstance[] = [];
  await until(async () => {
    found = (await fleet.observe()).instances.filter(({ phase, url }) => phase === 'running' && url !== null);
    return found.length === count;
  });
  return found;
}

/** Waits until every instance is gone but those that may stay. */
function settled(fleet: Fleet, mayStay: (instance: FleetInstance) => boolean): Promise<void> {
  return until(async () =>
    (await fleet.observe()).instances.every((instance) => instance.phase === 'gone' || mayStay(instance)),
  );
}

async function until(condition: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
