import { describe, expect, inject, it } from 'vitest';
import { createWorkerInstance, type WorkerInstance } from '../aws/worker-instances.ts';
import { definitionFolders, type WorkerProcess, workerProcesses } from '../support/worker-process.ts';

const awsUrl = inject('awsUrl');
const start = workerProcesses();
const writeDefinition = definitionFolders();
const YAML = 'source:\n  table: public.cities\n  key: id\ndocument:\n  name: cities.name\n';
const TOKEN = 'a-token-of-the-fleet';

/** A worker process on the instance, whose settings are all parameters but for the changes. */
async function startOn(
  instance: WorkerInstance,
  changes: NodeJS.ProcessEnv = {},
  ...args: string[]
): Promise<WorkerProcess> {
  const definitions = await writeDefinition('cities', YAML);
  return start(
    {
      ...instance.environment,
      REINDEX_WORKER_PORT: '0',
      REINDEX_WORKER_PARAMETERS: instance.path,
      REINDEX_WORKER_DEFINITIONS: definitions,
      ...changes,
    },
    ...args,
  );
}

async function instanceWithParameters(values: Record<string, string> = {}): Promise<WorkerInstance> {
  const instance = await createWorkerInstance(awsUrl ?? '');
  await instance.putParameters(
    { search_url: 'http://127.0.0.1:1', ...values },
    { database_url: inject('postgresUrl'), token: TOKEN },
  );
  return instance;
}

describe.skipIf(awsUrl === null)('a worker process on an EC2 instance', () => {
  it("is who its metadata says, with its fleet's parameters, and ends the instance with its lease", async () => {
    const instance = await instanceWithParameters({ lease_ms: '3000', log_level: 'debug' });
    const worker = await startOn(instance);
    const url = await worker.listening();
    expect(new URL(url).hostname).toBe(instance.host);
    expect(worker.log[0]).toMatchObject({
      instance: instance.id,
      region: 'eu-central-1',
      group: instance.group,
    });
    expect(await (await fetch(`${url}/healthcheck`)).json()).toMatchObject({ worker_id: instance.id });
    expect((await fetch(`${url}/task`)).status).toBe(401);
    expect((await fetch(`${url}/task`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    expect(await instance.state()).toBe('running');

    expect(await worker.exit).toBe(0);
    expect(instance.terminations()).toEqual([true]);
    expect([await instance.state(), await instance.desired()]).toEqual(['terminated', 0]);
    expect(await instance.shutDown()).toBeNull();
    expect(worker.errors()).toBe('');
  });
});
