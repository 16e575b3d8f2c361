import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { onTestFinished } from 'vitest';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { ACCOUNT_ID } from './aws-clients.ts';
import { groupOf, setDesired } from './group.ts';
import { type InstanceMetadata, startInstanceMetadata } from './instance-metadata.ts';
import { makeWorld } from './world.ts';

/** An instance for a worker process, with its metadata service. It is the only one of its group. */
export interface WorkerInstance {
  readonly id: string;
  /** A loopback address, as its private one. */
  readonly host: string;
  readonly group: string;
  /** Path of its group's parameters. */
  readonly path: string;
  readonly metadata: InstanceMetadata;
  /** What the worker calls. */
  readonly api: ApiProxy;
  /** For its worker process, which finds all else, credentials too, in the metadata. */
  readonly environment: NodeJS.ProcessEnv;
  /** Writes parameters below `path`; secrets encrypted. */
  putParameters(
    values: Readonly<Record<string, string>>,
    secrets?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** `running`, `shutting-down`, `terminated`, … */
  state(): Promise<string>;
  desired(): Promise<number>;
  /** Whether each call of the worker that terminates it was with decrement, in order. */
  terminations(): boolean[];
  /** Whether its shutdown command was run. */
  isShutDown(): Promise<boolean>;
}

/** Everything ends with the test. */
export async function createWorkerInstance(awsUrl: string, minimum = 0): Promise<WorkerInstance> {
  const scope = { onTestFinished };
  const world = await makeWorld(scope, { minimum, maximum: 2, awsUrl });
  await setDesired(world, 1);
  const [{ InstanceId: id = '' } = {}] = (await groupOf(world)).Instances ?? [];
  const described = async () => {
    const { Reservations } = await world.clients.ec2.send(
      new DescribeInstancesCommand({ InstanceIds: [id] }),
    );
    return Reservations?.[0]?.Instances?.[0];
  };
  const host = (await described())?.PrivateIpAddress ?? '';
  const metadata = await startInstanceMetadata({
    instanceId: id,
    privateIp: host,
    availabilityZone: `${world.region}a`,
    imageId: world.imageId,
    instanceType: 'c7g.large',
    accountId: ACCOUNT_ID,
    launchTime: new Date(),
    tags: { 'aws:autoscaling:groupName': world.group },
  });
  const api = await startApiProxy(scope, awsUrl);
  const folder = await mkdtemp(join(tmpdir(), 'reindex-instance-'));
  onTestFinished(async () => {
    await Promise.all([metadata.stop(), rm(folder, { recursive: true })]);
  });
  const path = world.workerParameters;
  const put = (name: string, value: string, Type: 'String' | 'SecureString') =>
    world.clients.ssm.send(
      new PutParameterCommand({ Name: `${path}/${name}`, Value: value, Type, Overwrite: true }),
    );
  const shutdownMark = join(folder, 'shut-down');
  return {
    id,
    host,
    group: world.group,
    path,
    metadata,
    api,
    environment: {
      AWS_ENDPOINT_URL: api.url,
      REINDEX_WORKER_PLATFORM: 'ec2',
      REINDEX_WORKER_SHUTDOWN_COMMAND: `touch ${shutdownMark}`,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
    },
    async putParameters(values, secrets = {}) {
      for (const [name, value] of Object.entries(values)) await put(name, value, 'String');
      for (const [name, value] of Object.entries(secrets)) await put(name, value, 'SecureString');
    },
    state: async () => (await described())?.State?.Name ?? 'unknown',
    desired: async () => (await groupOf(world)).DesiredCapacity ?? -1,
    terminations: () =>
      api
        .callsOf('TerminateInstanceInAutoScalingGroup')
        .map(({ parameters }) => parameters['ShouldDecrementDesiredCapacity'] === 'true'),
    isShutDown: async () => existsSync(shutdownMark),
  };
}
