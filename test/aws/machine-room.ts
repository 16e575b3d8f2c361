import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '@aws-sdk/client-ec2';
import { listenForTest } from '../support/listen.ts';
import type { TestScope } from '../support/run-setup.ts';
import type { Boot } from './boot.ts';
import { endInstance } from './cloud-control.ts';
import { instancesOf } from './group.ts';
import { Machine } from './machine.ts';
import type { AwsWorld } from './world.ts';

const LOOK_EVERY_MS = 150;

/** What a machine does other than boot at once. */
export interface MachineBehaviour {
  /** Time from the launch to the start of the worker. */
  readonly bootDelayMs?: number;
  /** The instance runs, and nothing answers on it. */
  readonly neverBoots?: boolean;
  /** Another file of definitions than the others have: its worker is another build. */
  readonly definitions?: string;
  /** The process lives on when its instance is terminated, like a slow machine. */
  readonly outlives?: boolean;
}

export interface MachineRoomOptions {
  readonly world: AwsWorld;
  readonly boot: Boot;
  /** Where workers find AWS's API; by default directly. */
  readonly awsUrl?: string;
  /** Of all workers, e.g. a short lease. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How the machine of the n-th instance that the group launches behaves; from 0. */
  readonly behaviour?: (nth: number, instance: Instance) => MachineBehaviour;
}

/**
 * Plays EC2 for one group: each instance that runs gets a machine with a real worker process on the instance's own
 * address, and loses it when it is terminated. A machine that shuts itself down ends its instance. All of it ends with the
 * test, and with this process.
 */
export interface MachineRoom {
  /** As its machine does by itself: the instance ends, and the group replaces it. */
  shutDown(instanceId: string): Promise<void>;
  /** All that were turned on so far, in the order of the launches. */
  readonly machines: readonly Machine[];
  /** Those whose worker runs. */
  running(): Machine[];
  /** Its machine, when it has been turned on. */
  machineOf(instanceId: string): Machine | null;
  /** Instances that shut themselves down. */
  readonly shutDowns: readonly string[];
}

export async function openMachineRoom(scope: TestScope, options: MachineRoomOptions): Promise<MachineRoom> {
  const room = new Room(options);
  const shutdownUrl = await startShutdownDesk(scope, (instanceId) => room.shutDown(instanceId));
  const watching = room.watch(shutdownUrl);
  watching.catch(() => undefined); // its failure is the test's, at the end
  scope.onTestFinished(async () => {
    await room.close();
    await watching;
  });
  return room;
}

class Room implements MachineRoom {
  readonly shutDowns: string[] = [];
  readonly #options: MachineRoomOptions;
  /** By instance, in the order of the launches; null: not turned on yet, or never. */
  readonly #places = new Map<string, Place>();
  readonly #closing = new AbortController();

  constructor(options: MachineRoomOptions) {
    this.#options = options;
  }

  get machines(): Machine[] {
    return [...this.#places.values()].flatMap(({ machine }) => machine ?? []);
  }

  running(): Machine[] {
    return this.machines.filter(({ isRunning }) => isRunning);
  }

  machineOf(instanceId: string): Machine | null {
    return this.#places.get(instanceId)?.machine ?? null;
  }

  async shutDown(instanceId: string): Promise<void> {
    this.shutDowns.push(instanceId);
    await endInstance(this.#options.world.awsUrl, instanceId, 'shutdown');
  }

  async watch(shutdownUrl: string): Promise<void> {
    while (!this.#closing.signal.aborted) {
      for (const instance of await instancesOf(this.#options.world)) await this.#tend(instance, shutdownUrl);
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.machines.map((machine) => machine.turnOff()));
  }

  async #tend(instance: Instance, shutdownUrl: string): Promise<void> {
    const place = this.#placeOf(instance);
    if (instance.State?.Name === 'running') await this.#turnOn(place, instance, shutdownUrl);
    else if (
      ['shutting-down', 'terminated'].includes(instance.State?.Name ?? '') &&
      !place.behaviour.outlives
    )
      await place.machine?.turnOff();
  }

  #placeOf(instance: Instance): Place {
    const id = instance.InstanceId ?? '';
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const behaviour = this.#options.behaviour?.(this.#places.size, instance) ?? {};
    const place: Place = {
      behaviour,
      bootAtMs: performance.now() + (behaviour.bootDelayMs ?? 0),
      machine: null,
    };
    this.#places.set(id, place);
    return place;
  }

  async #turnOn(place: Place, instance: Instance, shutdownUrl: string): Promise<void> {
    const { neverBoots = false, definitions } = place.behaviour;
    const isDue = performance.now() >= place.bootAtMs;
    if (place.machine !== null || neverBoots || !isDue || this.#closing.signal.aborted) return;
    const { world, boot, environment, awsUrl = world.awsUrl } = this.#options;
    place.machine = await Machine.start({
      instance,
      awsUrl,
      shutdownUrl: `${shutdownUrl}/${instance.InstanceId}`,
      environment: {
        ...(await boot(instance)),
        ...(definitions !== undefined && { REINDEX_WORKER_DEFINITIONS: definitions }),
        ...environment,
      },
    });
  }
}

interface Place {
  readonly behaviour: MachineBehaviour;
  /** Of `performance.now()`. */
  readonly bootAtMs: number;
  machine: Machine | null;
}

/** Serves machines that ask to be turned off. They POST to the returned URL with the instance's id behind it. */
async function startShutdownDesk(
  scope: TestScope,
  shutDown: (instanceId: string) => Promise<void>,
): Promise<string> {
  const server = createServer((request, answer) => {
    const instanceId = (request.url ?? '').slice(1);
    shutDown(instanceId)
      .then(() => answer.writeHead(204).end())
      .catch(() => answer.writeHead(500).end());
  });
  const address = await listenForTest(scope, server, '127.0.0.4');
  return address;
}
