import { describe, expect, inject, it } from 'vitest';
import type { Fault } from '../aws/api-proxy.ts';
import { createWorkerInstance, type WorkerInstance } from '../aws/worker-instances.ts';
import { definitionFolders, type WorkerProcess, workerProcesses } from '../support/worker-process.ts';

const awsUrl = inject('awsUrl');
const start = workerProcesses();
const writeDefinition = definitionFolders();
const YAML = 'source:\n  table: public.cities\n  key: id\ndocument:\n  name: cities.name\n';
const TOKEN = 'a-token-of-the-fleet';
/** The shortest lease there is: the worker of a test that needs no orchestrator ends by it. */
const SHORT_LEASE = { REINDEX_WORKER_LEASE_MS: '1000' };
/** Nobody listens there, and the worker does not ask for long. */
const API_IS_DOWN = {
  AWS_ENDPOINT_URL_AUTO_SCALING: 'http://127.0.0.4:1',
  REINDEX_WORKER_RETIRE_TIMEOUT_MS: '1000',
};
const TERMINATE = 'TerminateInstanceInAutoScalingGroup';

async function instanceWithParameters(
  values: Record<string, string> = {},
  minimum = 0,
): Promise<WorkerInstance> {
  const instance = await createWorkerInstance(awsUrl ?? '', minimum);
  await instance.putParameters(
    { search_url: 'http://127.0.0.1:1', ...values },
    { database_url: inject('postgresUrl'), token: TOKEN },
  );
  return instance;
}

/** A worker process on the instance, whose settings are all parameters but for the changes. */
async function startOn(
  instance: WorkerInstance,
  changes: NodeJS.ProcessEnv = {},
  ...args: string[]
): Promise<WorkerProcess> {
  const own = {
    REINDEX_WORKER_PORT: '0',
    REINDEX_WORKER_PARAMETERS: instance.path,
    REINDEX_WORKER_DEFINITIONS: await writeDefinition('cities', YAML),
  };
  return start({ ...instance.environment, ...own, ...changes }, ...args);
}

describe.skipIf(awsUrl === null)('a worker process on an EC2 instance', () => {
  it('takes its id from the metadata and its settings from parameters, and removes the instance with its lease', async () => {
    const more = [
      'batch_bytes',
      'cool_down_ms',
      'search_timeout_ms',
      'drain_linger_ms',
      'notice_interval_ms',
    ];
    const evenMore = ['max_bytes_in_flight', 'notice_margin_ms'];
    const instance = await instanceWithParameters({
      ...Object.fromEntries([...more, ...evenMore].map((name) => [name, '70000'])), // a page has ten
      exit_with_parent: 'false',
      log_level: 'debug',
      lease_ms: '3000',
    });
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
    expect(await instance.isShutDown()).toBe(false);
    expect(worker.errors()).toBe('');
  });

  it('takes flags and environment before metadata and parameters', async () => {
    const instance = await instanceWithParameters({ lease_ms: '86400000', port: '1' });
    const worker = await startOn(
      instance,
      { ...SHORT_LEASE, REINDEX_WORKER_ID: 'me' },
      '--host',
      '127.0.0.1',
    );
    expect(new URL(await worker.listening()).hostname).toBe('127.0.0.1');
    expect(worker.log).toContainEqual(expect.objectContaining({ msg: 'listening', worker_id: 'me' }));
    expect(await worker.exit).toBe(0);
    expect([instance.terminations(), await instance.state()]).toEqual([[true], 'terminated']);
  });

  it('is replaced when the group is at its minimum', async () => {
    const instance = await instanceWithParameters({}, 1);
    const worker = await startOn(instance, SHORT_LEASE);
    expect(await worker.exit).toBe(0);
    expect(instance.terminations()).toEqual([true, false]);
    expect([await instance.state(), await instance.desired()]).toEqual(['terminated', 1]);
  });

  it('asks again for its decrement when AWS has refused it', async () => {
    const instance = await instanceWithParameters();
    const contention = {
      status: 500,
      code: 'ResourceContention',
      message: 'You already have a pending update.',
    };
    instance.api.fail({ action: TERMINATE, times: 1, with: 'throttled' });
    instance.api.fail({ action: TERMINATE, times: 1, with: contention });
    const worker = await startOn(instance, SHORT_LEASE);
    expect(await worker.exit).toBe(0);
    expect(instance.terminations()).toEqual([true, true, true]);
    expect([await instance.state(), await instance.desired()]).toEqual(['terminated', 0]);
  });

  it.each<[string, Fault]>([
    ['whose answer is lost', 'lost answer'],
    ['that fails in AWS', 'unavailable'],
  ])('never asks for a second decrement after one %s', async (_name, fault) => {
    const instance = await instanceWithParameters();
    instance.api.fail({ action: TERMINATE, times: 1, with: fault });
    const worker = await startOn(instance, { ...SHORT_LEASE, REINDEX_WORKER_RETIRE_TIMEOUT_MS: '2000' });
    expect(await worker.exit).toBe(0);
    expect(instance.terminations().slice(0, 2)).toEqual([true, false]);
    expect(instance.terminations().filter(Boolean)).toHaveLength(1);
    expect(await instance.state()).toBe('terminated');
  });

  it('shuts the machine down when the AWS API does not answer', async () => {
    const instance = await instanceWithParameters();
    const worker = await startOn(instance, { ...SHORT_LEASE, ...API_IS_DOWN });
    expect(await worker.exit).toBe(0);
    expect(await instance.isShutDown()).toBe(true);
    expect(worker.log.at(-1)).toMatchObject({
      msg: 'shutting the machine down',
      why: expect.stringMatching(
        /autoscaling:TerminateInstanceInAutoScalingGroup of i-\w+ in eu-central-1 .*ECONNREFUSED/,
      ),
    });
  });

  it('exits 1 when not even the machine can be shut down', async () => {
    const instance = await instanceWithParameters();
    const worker = await startOn(instance, {
      ...SHORT_LEASE,
      ...API_IS_DOWN,
      REINDEX_WORKER_SHUTDOWN_COMMAND: 'no-such-command -h now',
    });
    expect([await worker.exit, worker.errors()]).toEqual([1, expect.stringContaining('no-such-command')]);
  });

  it('names every wrong parameter at once without a secret, exits 2, and removes the instance', async () => {
    const instance = await instanceWithParameters({ lease_ms: 'soon', colour: 'red', platform: 'local' });
    await instance.putParameters({}, { database_url: 'mysql://user:hush-hush@db/x', token: 'short' });
    const worker = await startOn(instance);
    expect(await worker.exit).toBe(2);
    for (const name of ['lease_ms', 'colour', 'platform', 'database_url', 'token']) {
      expect(worker.errors()).toContain(`${instance.path}/${name} `);
    }
    expect(worker.errors()).not.toMatch(/hush-hush|short/);
    expect([instance.terminations(), await instance.state()]).toEqual([[true], 'terminated']);
    expect(await instance.desired()).toBe(0);
  });

  it('removes the instance after a wrong flag, and after missing definitions', async () => {
    for (const flag of ['--colour', '--definitions']) {
      const instance = await instanceWithParameters();
      const worker = await startOn(instance, {}, flag, '/no/such/folder');
      expect([await worker.exit, worker.errors()]).toEqual([2, expect.stringMatching(/--colour|\/no\/such/)]);
      expect([instance.terminations(), await instance.desired()]).toEqual([[true], 0]);
    }
  });

  it.each([
    [
      'AccessDeniedException',
      'User: arn:x is not authorized to perform: ssm:GetParametersByPath on resource: y because no policy allows it',
      "Give the instance's role the permission ssm:GetParametersByPath.",
    ],
    [
      'AccessDeniedException',
      'The ciphertext refers to a key that x is not authorized to use (Service: AWSKMS; Status Code: 400)',
      "Give the instance's role the permission kms:Decrypt with the key of the parameters.",
    ],
  ])(
    'names the missing permission, exits 1 and removes the instance: %s %s',
    async (code, message, advice) => {
      const instance = await instanceWithParameters();
      instance.api.fail({ action: 'GetParametersByPath', with: { status: 400, code, message } });
      const worker = await startOn(instance, { REINDEX_WORKER_BOOT_TIMEOUT_MS: '500' });
      expect(await worker.exit).toBe(1);
      expect(worker.errors()).toContain(`ssm:GetParametersByPath of ${instance.path} in eu-central-1 failed`);
      expect(worker.errors()).toContain(message);
      expect(worker.errors()).toContain(advice);
      expect([instance.terminations(), await instance.desired()]).toEqual([[true], 0]);
    },
  );

  it('waits at boot for AWS to answer', async () => {
    const instance = await instanceWithParameters();
    // The SDK itself gives up after three attempts.
    instance.api.fail({ action: 'GetParametersByPath', times: 4, with: 'internal error' });
    const worker = await startOn(instance);
    expect(new URL(await worker.listening()).hostname).toBe(instance.host);
  });

  it('shuts the machine down when it cannot learn which instance it is', async () => {
    const instance = await instanceWithParameters();
    await instance.metadata.stop();
    const worker = await startOn(instance, { REINDEX_WORKER_BOOT_TIMEOUT_MS: '500' });
    expect([await worker.exit, worker.errors()]).toEqual([
      1,
      expect.stringContaining(`metadata service at ${instance.metadata.url} cannot be reached`),
    ]);
    expect([await instance.isShutDown(), instance.terminations()]).toEqual([true, []]);
  });

  it('leaves the instance alone when the machine shuts down, at boot too', async () => {
    const instance = await instanceWithParameters();
    const running = await startOn(instance);
    await running.listening();
    running.child.kill('SIGTERM');
    expect(await running.exit).toBe(143);

    instance.api.fail({ action: 'GetParametersByPath', with: 'internal error' });
    const booting = await startOn(instance);
    await expect.poll(() => booting.log.length, { timeout: 20_000 }).toBe(1);
    booting.child.kill('SIGTERM');
    expect(await booting.exit).toBe(143);
    expect([instance.terminations(), await instance.isShutDown()]).toEqual([[], false]);
    expect(await instance.state()).toBe('running');
  });

  it('stops retiring when the machine shuts down', async () => {
    const instance = await instanceWithParameters();
    instance.api.fail({ action: TERMINATE, with: 'internal error' });
    const worker = await startOn(instance, SHORT_LEASE);
    await expect.poll(() => instance.terminations().length, { timeout: 30_000 }).toBeGreaterThan(1);
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(143);
    expect(await instance.isShutDown()).toBe(false);
  });

  it('is replaced after an uncaught error', async () => {
    const instance = await instanceWithParameters();
    const code = 'process.on("SIGUSR2", () => { throw new Error("a defect"); })';
    const worker = await startOn(instance, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURI(code)}`,
    });
    await worker.listening();
    worker.child.kill('SIGUSR2');
    expect([await worker.exit, worker.errors()]).toEqual([1, expect.stringContaining('a defect')]);
    expect([instance.terminations(), await instance.desired()]).toEqual([[false], 1]);
    expect(await instance.state()).toBe('terminated');
  });
});
