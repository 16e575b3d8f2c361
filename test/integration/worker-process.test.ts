import { createServer } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import { startScriptedCluster, storeAll } from '../support/scripted-cluster.ts';
import { definitionFolders, workerProcesses } from '../support/worker-process.ts';

const start = workerProcesses();
const writeDefinition = definitionFolders();
const YAML = 'source:\n  table: public.cities\n  key: id\ndocument:\n  name: cities.name\n';

async function environment(changes: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  return {
    REINDEX_WORKER_ID: 'worker-1',
    REINDEX_WORKER_PORT: '0',
    REINDEX_WORKER_DATABASE_URL: inject('postgresUrl'),
    REINDEX_WORKER_SEARCH_URL: 'http://127.0.0.1:1',
    REINDEX_WORKER_DEFINITIONS: await writeDefinition('cities', YAML),
    ...changes,
  };
}

describe('the worker process', () => {
  it('says in one line where it listens, its id and its build', async () => {
    const cluster = await startScriptedCluster('x', storeAll);
    const worker = start(await environment({ REINDEX_WORKER_SEARCH_URL: cluster.url }));
    const url = await worker.listening();
    expect(worker.log).toEqual([
      expect.objectContaining({
        msg: 'listening',
        url,
        worker_id: 'worker-1',
        build: expect.stringMatching(/^[0-9a-f]{32}\.[0-9a-f]{32}$/),
      }),
    ]);
    const health = await fetch(`${url}/healthcheck`);
    expect([health.status, await health.json()]).toMatchObject([
      200,
      { status: 'ok', build: worker.log[0]?.['build'] },
    ]);
    await cluster.close();
  });

  it('is not ready while the cluster cannot be reached', async () => {
    const worker = start(await environment());
    const health = await fetch(`${await worker.listening()}/healthcheck`);
    expect([health.status, await health.json()]).toMatchObject([503, { unreachable: ['cluster'] }]);
  });

  it('is not ready while the database cannot be reached', async () => {
    const cluster = await startScriptedCluster('x', storeAll);
    const worker = start(
      await environment({
        REINDEX_WORKER_SEARCH_URL: cluster.url,
        REINDEX_WORKER_DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none',
      }),
    );
    const health = await fetch(`${await worker.listening()}/healthcheck`);
    expect([health.status, await health.json()]).toMatchObject([503, { unreachable: ['database'] }]);
    await expect
      .poll(() => worker.log, { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({
          msg: 'the database cannot be reached',
          error: expect.stringContaining('ECONNREFUSED'),
        }),
      );
    expect(JSON.stringify(worker.log)).not.toContain('secret');
    await cluster.close();
  });

  it('names every fault of its settings at once without a secret, and exits 2', async () => {
    const worker = start({
      REINDEX_WORKER_HOST: '0.0.0.0',
      REINDEX_WORKER_PORT: '70000',
      REINDEX_WORKER_LEASE_MS: 'soon',
      REINDEX_WORKER_DATABASE_URL: 'mysql://user:hush-hush@db/x',
      REINDEX_WORKER_COLOUR: 'red',
    });
    expect(await worker.exit).toBe(2);
    for (const name of ['PORT', 'LEASE_MS', 'DATABASE_URL', 'SEARCH_URL', 'DEFINITIONS', 'COLOUR']) {
      expect(worker.errors()).toContain(`REINDEX_WORKER_${name} `);
    }
    expect(worker.errors()).not.toContain('hush-hush');
  });

  it('exits 2 on faulty definitions and on unknown flags', async () => {
    const folder = await writeDefinition('cities', 'document: 5\n');
    const faulty = start(await environment({ REINDEX_WORKER_DEFINITIONS: folder }));
    expect([await faulty.exit, faulty.errors()]).toEqual([2, expect.stringContaining('cities.yaml')]);
    const unknown = start(await environment(), '--colour', 'red');
    expect([await unknown.exit, unknown.errors()]).toEqual([2, expect.stringContaining('--colour')]);
  });

  it('exits 1 when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const worker = start(await environment(), '--port', String(port));
    expect([await worker.exit, worker.errors()]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
    other.close();
  });

  it('ends within 2 s of a signal', async () => {
    const worker = start(await environment());
    await worker.listening();
    const began = performance.now();
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(143);
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(worker.log.at(-1)).toMatchObject({ msg: 'stopping', why: 'SIGTERM' });
  });

  it('ends with its parent process', async () => {
    const worker = start(await environment(), '--exit-with-parent');
    await worker.listening();
    worker.child.stdin?.end();
    expect(await worker.exit).toBe(0);
  });

  it('ends with its lease, which an orchestrator renews and a person does not', async () => {
    const worker = start(await environment({ REINDEX_WORKER_LEASE_MS: '1000' }));
    const url = await worker.listening();
    const began = performance.now();
    while (performance.now() - began < 1_500) {
      await fetch(`${url}/task`, { headers: { 'Reindex-Run': 'run-1', 'Reindex-Epoch': '1' } });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const calling = setInterval(() => void fetch(`${url}/task`).catch(() => undefined), 100);
    expect(await worker.exit).toBe(0);
    clearInterval(calling);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(worker.log.at(-1)).toMatchObject({ msg: 'stopping', why: expect.stringContaining('lease') });
  });

  it('goes on when the reader of its log is gone', async () => {
    const worker = start(await environment({ REINDEX_WORKER_LOG_LEVEL: 'debug' }));
    const url = await worker.listening();
    worker.child.stdout?.destroy();
    worker.child.stderr?.destroy();
    worker.child.kill('SIGTERM');
    expect((await worker.exit) ?? worker.child.signalCode).toBe(143);
    expect(url).toMatch(/^http:/);
  });
});
