import { PLAIN_FLEET, PLAIN_INSTANCE } from '../reconcile/observation.ts';
import type { Fleet, FleetInstance, FleetView } from './fleet.ts';
import { spawnWorker, type WorkerProcess } from './worker-process.ts';

export interface LocalFleetOptions {
  readonly run: string;
  /** Rises with each holder of the lock, so instance ids are never used twice. */
  readonly epoch: number;
  /** Each pass has a fleet of its own, so it is in the ids too. */
  readonly pass: number;
  /** Settings of each worker process, by environment variable; secrets travel here and nowhere else. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Worker processes on this machine, as a group with a desired capacity. They end with their orchestrator: each
 * watches the pipe on its stdin, so even a kill -9 leaves none behind.
 */
export class LocalFleet implements Fleet {
  readonly kind = 'local';
  readonly #options: LocalFleetOptions;
  readonly #workers: WorkerProcess[] = [];
  #desired = 0;
  #launched = 0;

  constructor(options: LocalFleetOptions) {
    this.#options = options;
  }

  observe(): Promise<FleetView> {
    this.#keepCapacity();
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
    if (worker.phase === 'terminating' || worker.phase === 'gone') return Promise.resolve();
    if (decrement) this.#desired = Math.max(0, this.#desired - 1);
    worker.end();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#desired = 0;
    for (const worker of this.#workers) worker.end();
    await Promise.all(this.#workers.map((worker) => worker.exited));
  }

  #keepCapacity(): void {
    const alive = this.#workers.filter(
      (worker) => worker.phase === 'pending' || worker.phase === 'running',
    ).length;
    for (let missing = this.#desired - alive; missing > 0; missing -= 1) this.#launch();
  }

  #launch(): void {
    this.#launched += 1;
    const id = `local-${this.#options.epoch}-${this.#options.pass}-${this.#launched}`;
    this.#workers.push(spawnWorker(id, this.#options.environment));
  }

  #describe(worker: WorkerProcess): FleetInstance {
    return {
      id: worker.id,
      phase: worker.phase,
      run: this.#options.run,
      ...PLAIN_INSTANCE,
      detail: worker.detail,
      url: worker.url,
    };
  }
}
