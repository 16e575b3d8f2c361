import { randomInt, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { onTestFinished } from 'vitest';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { type InstanceMetadata, startInstanceMetadata } from './instance-metadata.ts';

const ZONE = 'eu-central-1a';
const REGION = 'eu-central-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** The only instance of a group of its own, with its metadata service, for a worker process to live on. */
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
  /** For its worker process. */
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

/** All of it ends with the test. */
export async function createWorkerInstance(awsUrl: string): Promise<WorkerInstance> {
  const client = { region: REGION, endpoint: awsUrl, credentials: CREDENTIALS };
  const [scaling, ec2, ssm] = [new AutoScalingClient(client), new EC2Client(client), new SSMClient(client)];
  const group = `workers-${randomUUID()}`;
  const id = await createGroup(scaling, ec2, group);
  const host = `127.77.${randomInt(256)}.${randomInt(1, 255)}`;
  const metadata = await startInstanceMetadata({
    instanceId: id,
    privateIp: host,
    availabilityZone: ZONE,
    imageId: 'ami-0123456789abcdef0',
    instanceType: 'c7g.large',
    accountId: '123456789012',
    launchTime: new Date(),
    tags: { 'aws:autoscaling:groupName': group },
  });
  const api = await startApiProxy(awsUrl);
  const folder = await mkdtemp(join(tmpdir(), 'reindex-instance-'));
  onTestFinished(async () => {
    await scaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: group, ForceDelete: true }));
    await Promise.all([metadata.stop(), api.stop(), rm(folder, { recursive: true })]);
  });
  const path = `/${group}/worker`;
  const put = (name: string, value: string, Type: 'String' | 'SecureString') =>
    ssm.send(new PutParameterCommand({ Name: `${path}/${name}`, Value: value, Type, Overwrite: true }));
  const shutdownMark = join(folder, 'shut-down');
  return {
    id,
    host,
    group,
    path,
    metadata,
    api,
    environment: {
      REINDEX_WORKER_PLATFORM: 'ec2',
      REINDEX_WORKER_SHUTDOWN_COMMAND: `touch ${shutdownMark}`,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
      AWS_ENDPOINT_URL: api.url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    async putParameters(values, secrets = {}) {
      for (const [name, value] of Object.entries(values)) await put(name, value, 'String');
      for (const [name, value] of Object.entries(secrets)) await put(name, value, 'SecureString');
    },
    async state() {
      const { Reservations: [reservation] = [] } = await ec2.send(
        new DescribeInstancesCommand({ InstanceIds: [id] }),
      );
      return reservation?.Instances?.[0]?.State?.Name ?? 'unknown';
    },
    desired: async () => (await groupOf(scaling, group)).DesiredCapacity ?? -1,
    terminations: () =>
      api.calls
        .filter(({ operation }) => operation === 'TerminateInstanceInAutoScalingGroup')
        .map(({ parameters }) => parameters.get('ShouldDecrementDesiredCapacity') === 'true'),
    isShutDown: async () => existsSync(shutdownMark),
  };
}

/** Gives its instance's id. */
async function createGroup(scaling: AutoScalingClient, ec2: EC2Client, group: string): Promise<string> {
  const LaunchTemplateData = { ImageId: 'ami-0123456789abcdef0', InstanceType: 'c7g.large' } as const;
  await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: group, LaunchTemplateData }));
  await scaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: group,
      MinSize: 0,
      MaxSize: 2,
      DesiredCapacity: 1,
      AvailabilityZones: [ZONE],
      LaunchTemplate: { LaunchTemplateName: group, Version: '$Latest' },
    }),
  );
  const { Instances: [instance] = [] } = await groupOf(scaling, group);
  if (instance?.InstanceId === undefined) throw new Error(`The group ${group} has no instance.`);
  return instance.InstanceId;
}

async function groupOf(scaling: AutoScalingClient, group: string) {
  const { AutoScalingGroups: [found] = [] } = await scaling.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [group] }),
  );
  if (found === undefined) throw new Error(`There is no group ${group}.`);
  return found;
}
