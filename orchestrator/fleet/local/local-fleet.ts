import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../reconcile/observation.ts';
import type { Fleet, FleetInstance, FleetView } from '../fleet.ts';
import { spawnWorker, type WorkerProcess } from './worker-process.ts';

export interface LocalFleetOptions {
  readonly run: string;
  /** The lock's epoch. It rises with each holder, so no instance id is used twice. */
  readonly epoch: number;
  /** The pass's number. Each pass has its own fleet, so the ids hold it too. */
  readonly pass: number;
  /** How many workers are wanted from the beginning. The run's journal remembers it, since no platform does. */
  readonly desired: number;
  /** True when the settings say what a process costs. Then its times are reported. */
  readonly isAccountedFor: boolean;
  /** The settings of each worker process, by environment variable. Secrets are passed here and nowhere else. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A process that ends by itself is replaced after this pause. Without it, a process that cannot start would be started
 * again and again.
 */
const REPLACE_AFTER_MS = 250;

/**
 * Worker processes on this machine, as a group with a desired capacity. They are launched when the fleet is opened,
 * when more are desired, and when one ends. A look launches none. They end with their orchestrator: each watches the
 * pipe on its stdin, so even kill -9 leaves none behind.
 */
export class LocalFleet implements Fleet {
  readonly #options: LocalFleetOptions;
  readonly #workers: WorkerProcess[] = [];
  readonly #replacing = new Set<NodeJS.Timeout>();
  /** Replacements since the last look. Only a look counts them, so there is at most one per desired worker. */
  #replacedUnseen = 0;
  #desired: number;
  #launched = 0;
  #isClosed = false;

  constructor(options: LocalFleetOptions) {
    this.#options = options;
    this.#desired = options.desired;
    this.#keepCapacity();
  }

  observe(): Promise<FleetView> {
    this.#replacedUnseen = 0;
    return Promise.resolve({
      desired: this.#desired,
      exact: true,
      ...PLAIN_FLEET,
      instances: this.#workers.map((worker) => this.#describe(worker)),
    });
  }

  setDesired(count: number): Promise<void> {
    this.#desired = count;
    this.#keepCapacity();
    return Promise.resolve();
  }

  terminate(instance: string, { decrement }: { decrement: boolean }): Promise<void> {
    const worker = this.#workers.find((candidate) => candidate.id === instance);
    if (worker === undefined) throw new Error(`the local fleet has no instance ${instance}`);
    if (!isAlive(worker)) return Promise.resolve();
    if (decrement) this.#desired = Math.max(0, this.#desired - 1);
    worker.end();
    this.#keepCapacity();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#desired = 0;
    for (const timer of this.#replacing) clearTimeout(timer);
    for (const worker of this.#workers) worker.end();
    await Promise.all(this.#workers.map((worker) => worker.exited));
  }

  #keepCapacity(): void {
    if (this.#isClosed) return;
    const alive = this.#workers.filter(isAlive).length;
    const awaited = alive + this.#replacing.size;
    for (let missing = this.#desired - awaited; missing > 0; missing -= 1) this.#launch();
  }

  #launch(): void {
    this.#launched += 1;
    const id = `local-${this.#options.epoch}-${this.#options.pass}-${this.#launched}`;
    const worker = spawnWorker(id, this.#options.environment);
    this.#workers.push(worker);
    void this.#replaceAfter(worker);
  }

  /** A worker that ended by itself keeps its place until its replacement is launched. */
  async #replaceAfter(worker: WorkerProcess): Promise<void> {
    await worker.exited;
    if (worker.detail !== null && !this.#isClosed) this.#replaceLater();
  }

  #replaceLater(): void {
    const timer = setTimeout(() => {
      this.#replacing.delete(timer);
      if (this.#desired > 0 && this.#replacedUnseen >= this.#desired) return this.#replaceLater();
      this.#replacedUnseen += 1;
      this.#keepCapacity();
    }, REPLACE_AFTER_MS);
    this.#replacing.add(timer);
  }

  #describe(worker: WorkerProcess): FleetInstance {
    const { isAccountedFor, run } = this.#options;
    const times = {
      launchedAt: worker.launchedAt.toISOString(),
      endedAt: worker.endedAt?.toISOString() ?? null,
    };
    return {
      id: worker.id,
      phase: worker.phase,
      run,
      ...PLAIN_INSTANCE,
      ...(isAccountedFor ? times : {}),
      detail: worker.detail,
      url: worker.url,
    };
  }
}

function isAlive({ phase }: WorkerProcess): boolean {
  return phase === 'pending' || phase === 'running';
}
