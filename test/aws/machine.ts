import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Instance } from '@aws-sdk/client-ec2';
import { WORKER_NODE_FLAGS } from '../../worker/contract.ts';
import { NODE_ENVIRONMENT } from '../support/node-environment.ts';
import { ACCOUNT_ID } from './aws-clients.ts';
import { type InstanceMetadata, startInstanceMetadata } from './instance-metadata.ts';

const WORKER_MAIN = fileURLToPath(new URL('../../worker/main.ts', import.meta.url));
const SHUT_DOWN_CALL = fileURLToPath(new URL('./shut-down-call.ts', import.meta.url));

export interface MachineParts {
  readonly instance: Instance;
  /** Where the worker finds AWS's API. */
  readonly awsUrl: string;
  /** The worker's, over what a machine sets by itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the machine asks to be turned off. */
  readonly shutdownUrl: string;
}

/** The machine of one EC2 instance: its metadata service, and the worker process that its system starts. */
export class Machine {
  readonly instanceId: string;
  /** The instance's private one. */
  readonly address: string;
  readonly metadata: InstanceMetadata;
  /** What the worker has logged so far. */
  readonly log: { readonly msg?: string; readonly [name: string]: unknown }[] = [];
  readonly #worker: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = '';

  static async start(parts: MachineParts): Promise<Machine> {
    return new Machine(parts, await startInstanceMetadata(factsOf(parts.instance)));
  }

  private constructor(parts: MachineParts, metadata: InstanceMetadata) {
    this.instanceId = parts.instance.InstanceId ?? '';
    this.address = parts.instance.PrivateIpAddress ?? '';
    this.metadata = metadata;
    this.#worker = spawn(process.execPath, [...WORKER_NODE_FLAGS, WORKER_MAIN], {
      cwd: dirname(SHUT_DOWN_CALL),
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environmentOf(parts, metadata),
    });
    this.#ended = once(this.#worker, 'close');
    this.#worker.stdin?.on('error', () => undefined);
    if (this.#worker.stdout !== null)
      createInterface(this.#worker.stdout).on('line', (line) => this.log.push(JSON.parse(line)));
    this.#worker.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
  }

  /** Of the worker process; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#worker.pid;
  }

  /** Null while the worker runs, or when a signal has ended it. */
  get exitCode(): number | null {
    return this.#worker.exitCode;
  }

  get isRunning(): boolean {
    return this.#worker.exitCode === null && this.#worker.signalCode === null;
  }

  /** What the worker wrote to standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  /** To the worker process: it crashes, freezes (SIGSTOP), goes on. */
  signal(name: NodeJS.Signals): void {
    this.#worker.kill(name);
  }

  /** As power that is cut: nothing of it has time for anything. */
  async turnOff(): Promise<void> {
    this.#worker.kill('SIGKILL');
    await Promise.all([this.#ended, this.metadata.stop()]);
  }
}

function factsOf(instance: Instance) {
  const tags = instance.Tags ?? [];
  return {
    instanceId: instance.InstanceId ?? '',
    privateIp: instance.PrivateIpAddress ?? '',
    availabilityZone: instance.Placement?.AvailabilityZone ?? '',
    imageId: instance.ImageId ?? '',
    instanceType: instance.InstanceType ?? '',
    accountId: ACCOUNT_ID,
    launchTime: instance.LaunchTime ?? new Date(),
    tags: Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value])),
  };
}

function environmentOf(
  { awsUrl, environment, shutdownUrl }: MachineParts,
  metadata: InstanceMetadata,
): NodeJS.ProcessEnv {
  return {
    ...NODE_ENVIRONMENT,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    AWS_ENDPOINT_URL: awsUrl, // region and credentials are in the metadata
    AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
    // Split at spaces, which paths may have: what it names is found by PATH and in the working directory.
    REINDEX_WORKER_SHUTDOWN_COMMAND: `node ${basename(SHUT_DOWN_CALL)} ${shutdownUrl}`,
    REINDEX_WORKER_EXIT_WITH_PARENT: 'true',
    ...environment,
  };
}
