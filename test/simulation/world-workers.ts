import type { DescribedDefinition } from '../../definition/definition.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import type { VirtualCluster } from './cluster.ts';
import type { Fault, FaultCounts } from './faults.ts';
import type { VirtualGroup } from './group.ts';
import type { VirtualProcess } from './process.ts';
import type { Random } from './random.ts';
import { BUILD, type Scene } from './scene.ts';
import type { Scheduler } from './scheduler.ts';
import { strayTask } from './stray-task.ts';
import type { VirtualTable } from './table.ts';
import { VirtualWorker, type WorkerOptions } from './worker.ts';

/** What workers need of their world; see `World`. */
interface AroundWorkers extends Pick<WorkerOptions, 'without'> {
  readonly scene: Scene;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly faults: FaultCounts;
  readonly group: VirtualGroup;
  readonly cluster: VirtualCluster;
  readonly table: VirtualTable;
  readonly loaded: LoadedDefinition;
  readonly described: DescribedDefinition;
  has(fault: Fault): boolean;
  strikes(fault: Fault, chance: number): boolean;
  tell(who: string, what: string): void;
  break(what: string): void;
  newProcess(name: string): VirtualProcess;
  passage(kind: 'database' | 'bulk', what: string): ReturnType<WorkerOptions['passage']>;
}

/** A worker's timing, in the order renewal < lock < retry < worker < sweep. */
const LEASE_MS = 90_000;

/** The workers of a world, one for each instance of its group, and their faults. */
export class WorldWorkers {
  readonly #world: AroundWorkers;
  readonly #workers = new Map<string, VirtualWorker>();
  readonly #hung = new Set<string>();
  /** Addresses at which another worker answers for some time. */
  readonly #elsewhere = new Map<string, string>();
  /** The highest epoch that each worker has obeyed, by worker and run. */
  readonly #epochs = new Map<string, number>();
  #liar: string | null = null;

  constructor(world: AroundWorkers) {
    this.#world = world;
  }

  /** Calls the worker at an address. It may hear the call late or never. */
  reach<T>(url: string, work: (worker: VirtualWorker) => T | Promise<T>): Promise<T> {
    const worker = this.workerAt(url);
    if (!worker.options.process.alive) throw new Error('ECONNREFUSED');
    return new Promise((resolve, reject) => {
      if (this.#hung.has(worker.options.id)) return;
      worker.options.process.deliver(() => {
        Promise.resolve()
          .then(() => work(worker))
          .then(resolve, reject);
      });
    });
  }

  workerAt(url: string): VirtualWorker {
    const id = url.replace('virtual:', '');
    const worker = this.#workers.get(this.#elsewhere.get(id) ?? id);
    if (worker === undefined) throw new Error('ECONNREFUSED');
    return worker;
  }

  get liveWorkers(): VirtualWorker[] {
    return [...this.#workers.values()].filter(({ options }) => options.process.alive);
  }

  /** Instances that their worker will not end, because it never came up or its process does not run. */
  isAbandoned(instance: string): boolean {
    const worker = this.#workers.get(instance);
    return worker === undefined || !worker.options.process.alive || worker.options.process.paused;
  }

  start(id: string): void {
    if (this.#world.strikes('worker never boots', 0.4)) return this.#world.tell(id, 'never comes up');
    const process = this.#world.newProcess(id);
    const build = this.#world.strikes('worker of another build', 0.4) ? 'another build' : BUILD;
    if (this.#liar === null && this.#world.has('worker counts what it never sent')) this.#liar = id;
    const batchMs = this.#world.strikes('worker is slow', 0.5) ? 8_000 : this.#world.random.whole(200, 2_000);
    const retire: WorkerOptions['retire'] = (why, instance) => this.#retire(id, why, instance);
    const worker = this.#makeWorker(id, process, { build, batchMs, retire });
    this.#workers.set(id, worker);
    this.#world.tell(id, `comes up${build === BUILD ? '' : ' with another build'}`);
    this.#giveStrayTask(worker);
    this.#plague(worker);
  }

  #makeWorker(
    id: string,
    process: VirtualProcess,
    own: Pick<WorkerOptions, 'build' | 'batchMs' | 'retire'>,
  ): VirtualWorker {
    const { scene, loaded, cluster, table, random, without } = this.#world;
    return new VirtualWorker({
      ...own,
      id,
      process,
      cluster,
      table,
      without,
      leaseMs: LEASE_MS,
      rowsPerBatch: scene.rowsPerBatch,
      definition: loaded.definition,
      passage: (kind) => this.#world.passage(kind, `of ${id}`),
      queueMs: () =>
        this.#world.strikes('bulk waits long and lands late', 0.2)
          ? random.whole(5_000, 60_000)
          : random.whole(5, 300),
      onAdmitted: (run, epoch) => this.#noteEpoch(id, run, epoch),
      lies: () => id === this.#liar && this.#world.strikes('worker counts what it never sent', 0.4),
    });
  }

  /** Starts a worker process on the machine of its orchestrator, which no fault of a fleet befalls. */
  startBeside(id: string, onEnd: () => void): VirtualProcess {
    const process = this.#world.newProcess(id);
    const retire = (why: string): void => {
      this.#world.tell(id, `ends: ${why}`);
      process.kill();
      onEnd();
    };
    this.#workers.set(id, this.#makeWorker(id, process, { build: BUILD, batchMs: 200, retire }));
    return process;
  }

  end(id: string): void {
    this.#workers.get(id)?.options.process.kill();
  }

  /** As from an earlier process, whose record of it is void. */
  #giveStrayTask(worker: VirtualWorker): void {
    const { run } = this.#world.group;
    if (run === null || !this.#world.strikes('worker has a task that nobody knows', 0.5)) return;
    worker.hold(strayTask(worker.options.id, run, this.#world.described));
    this.#world.tell(worker.options.id, 'has a task that nobody knows');
  }

  /** Its machine is gone; its process ends with it, or, where the kill is withheld, goes on for hours. */
  switchOff(id: string): void {
    const process = this.#workers.get(id)?.options.process;
    if (process?.alive === true && this.#world.strikes('machine outlives its end', 0.7))
      this.#world.tell(id, 'goes on, though it is gone');
    else process?.kill();
  }

  /** Draws the faults of a worker and their times. */
  #plague(worker: VirtualWorker): void {
    const { id, process } = worker.options;
    const soon = (): number => this.#world.random.whole(0, 40_000);
    const later = (fault: Fault, chance: number, work: () => void): void => {
      if (!this.#world.has(fault) || !this.#world.random.chance(chance)) return;
      this.#world.scheduler.after(soon(), () => {
        if (!process.alive) return;
        this.#world.faults.note(fault);
        this.#world.tell(id, fault.replace(/^worker (is )?/, ''));
        work();
      });
    };
    later('worker dies in mid-range', 0.4, () => this.#world.group.crash(id));
    later('worker dies in mid-range', 0.2, () => process.kill());
    later('worker hangs with an open socket', 0.4, () => this.#hung.add(id));
    later('worker paused past its lease', 0.5, () =>
      this.#pause(process, this.#world.random.whole(60_000, 400_000)),
    );
    later('worker paused for a moment', 0.6, () =>
      this.#pause(process, this.#world.random.whole(500, 25_000)),
    );
    later('worker takes back what it said', 0.5, () => {
      worker.takesBack = true;
    });
    later('worker is drained', 0.5, () => worker.drain());
    later('spot instance is taken back', 0.4, () => this.#takeBack(worker));
    later('worker answers at another address', 0.6, () => this.#answerElsewhere(id));
  }

  #pause(process: VirtualProcess, ms: number): void {
    process.pause();
    this.#world.scheduler.after(ms, () => {
      if (process.alive) this.#world.tell(process.name, 'wakes up');
      process.resume();
    });
  }

  /** Gives a Spot notice. The worker drains for two minutes, then its machine ends and the group replaces it. */
  #takeBack(worker: VirtualWorker): void {
    worker.drain();
    this.#world.scheduler.after(120_000, () => this.#world.group.crash(worker.options.id));
  }

  /** Lets another worker answer at this address for some time, as a reused address or a wrong proxy does. */
  #answerElsewhere(id: string): void {
    const others = this.liveWorkers.map(({ options }) => options.id).filter((other) => other !== id);
    if (others.length === 0) return;
    this.#elsewhere.set(id, this.#world.random.pick(others));
    this.#world.scheduler.after(this.#world.random.whole(2_000, 60_000), () => this.#elsewhere.delete(id));
  }

  /** A worker ends its own instance once, unless somebody else is ending it already. */
  #retire(id: string, why: string, instance: 'removed' | 'replaced'): void {
    this.#world.tell(id, `retires: ${why}`);
    this.#workers.get(id)?.options.process.kill();
    const { group } = this.#world;
    if (!group.live.includes(id)) return;
    // Refused at the minimum, it is terminated without decrement, as the real worker does.
    group.terminate(id, instance === 'removed' && group.desired > group.minimum);
  }

  #noteEpoch(id: string, run: string, epoch: number): void {
    const seen = this.#epochs.get(`${id} ${run}`) ?? 0;
    if (epoch < seen) this.#world.break(`${id} obeyed epoch ${epoch} of ${run} after epoch ${seen}`);
    this.#epochs.set(`${id} ${run}`, Math.max(seen, epoch));
  }
}
