import type { IndexDefinition } from '../../definition/definition.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { Settlement } from '../../worker/targets/settlement.ts';
import type { Health, TaskRequest, TaskStatus } from '../../worker/contract.ts';
import { Draining } from '../../worker/draining.ts';
import { Holders } from '../../worker/holders.ts';
import { Lease } from '../../worker/lease.ts';
import { Refusal } from '../../worker/refusal.ts';
import { NOTHING_IN_FLIGHT } from '../../worker/targets/in-flight.ts';
import { TaskFailure } from '../../worker/task-failure.ts';
import { type TaskRun, TaskRegister } from '../../worker/tasks.ts';
import { type BulkItem, Refused, type VirtualCluster } from './cluster.ts';
import type { Passage, VirtualProcess } from './process.ts';
import { TimedOut } from './process.ts';
import { nameOf, type VirtualRow, type VirtualTable, versionSince } from './table.ts';

export interface WorkerOptions {
  readonly id: string;
  readonly build: string;
  readonly leaseMs: number;
  readonly rowsPerBatch: number;
  /** The time in which a batch is read and encoded. */
  readonly batchMs: number;
  readonly definition: IndexDefinition;
  readonly process: VirtualProcess;
  readonly cluster: VirtualCluster;
  readonly table: VirtualTable;
  readonly passage: (kind: 'database' | 'bulk') => Passage;
  /** How long the next bulk waits in the cluster's queue. */
  readonly queueMs: () => number;
  /** Ends the instance. The worker's process has ended by then. A drained worker's instance is replaced. */
  readonly retire: (why: string, instance: 'removed' | 'replaced') => void;
  /** Is told of each admitted call and its epoch. */
  readonly onAdmitted: (run: string, epoch: number) => void;
  /** True when the batch is counted as indexed and never sent. */
  readonly lies: () => boolean;
  /** Guards that a test takes out. */
  readonly without: ReadonlySet<string>;
}

const MAX_BULKS = 2;

/**
 * A worker in virtual time. The real worker's own classes decide who may call and keep its tasks, lease, draining and
 * settlement. Only reading and sending are virtual.
 */
export class VirtualWorker {
  readonly options: WorkerOptions;
  readonly #holders = new Holders();
  readonly #tasks: TaskRegister;
  readonly #draining: Draining;
  readonly #lease: Lease;
  /** The status that a task repeats from the second time on; null: it does not repeat one. */
  earlier: TaskStatus | null = null;
  takesBack = false;

  constructor(options: WorkerOptions) {
    const { process, definition } = options;
    const now = (): number => process.clock.monotonicMs();
    const schedule = (ms: number, work: () => void): (() => void) => process.after(ms, work);
    this.options = options;
    this.#tasks = new TaskRegister({
      workerId: options.id,
      definitions: [{ definition, digest: digestDefinition(definition) }],
      start: (request, _definition, signal) => this.#read(request, signal),
      clock: () => process.clock.now(),
      onChange: ({ active }) => {
        if (!active) this.#draining.taskEnded();
      },
    });
    this.#draining = new Draining({
      tasks: this.#tasks,
      lingerMs: 30_000,
      now,
      schedule,
      onDrained: (why) => options.retire(why, 'replaced'),
    });
    const onExpired = (): void => options.retire('its lease is over', 'removed');
    this.#lease = new Lease({ leaseMs: options.leaseMs, now, schedule, onExpired });
  }

  /** Makes the contract's calls under the rules by which `service.ts` admits them. */
  health(run: string, epoch: number): Health & { ready: boolean } {
    this.#admit(run, epoch);
    const { build, id } = this.options;
    return { status: 'ok', build, worker_id: id, draining: this.#draining.begun, ready: true };
  }

  status(run: string, epoch: number, taskId: string): TaskStatus | null {
    this.#admit(run, epoch);
    try {
      const status = this.#tasks.status(taskId);
      this.#draining.statusGiven(status);
      return this.#asSaid(status);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  tasks(run: string, epoch: number): readonly TaskStatus[] {
    this.#admit(run, epoch);
    return this.#tasks.list().map((status) => {
      this.#draining.statusGiven(status);
      return this.#asSaid(status);
    });
  }

  post(run: string, epoch: number, request: TaskRequest): void {
    this.#admit(run, epoch);
    this.#draining.refuseNew(request.task_id);
    this.#tasks.accept(request);
  }

  cut(run: string, epoch: number, taskId: string, endIndex: string): void {
    this.#admit(run, epoch);
    this.#tasks.lowerEnd(taskId, endIndex);
  }

  async cancel(run: string, epoch: number, taskId: string): Promise<void> {
    this.#admit(run, epoch);
    await this.#tasks.cancel(taskId, 'taken back');
  }

  /** As by its orchestrator, which ends it. */
  takeNoMore(run: string, epoch: number): void {
    this.#admit(run, epoch);
    this.#draining.takeNoMore();
  }

  /** As by a notice of its machine's end: it ends itself. */
  drain(): void {
    this.#draining.begin();
  }

  /** Takes a task that no orchestrator's journal knows. */
  hold(request: TaskRequest): void {
    this.#tasks.accept(request);
  }

  get activeTasks(): readonly string[] {
    return this.#tasks.active.map(({ task_id: task }) => task);
  }

  get reads(): boolean {
    return this.#tasks.activeRun !== null;
  }

  #admit(run: string, epoch: number): void {
    if (!this.options.without.has('epoch')) this.#holders.admit({ run, epoch }, this.#tasks.activeRun);
    if (!this.#lease.renew())
      throw new Refusal(503, 'The lease of this worker is over, and the worker ends. Use another worker.');
    this.options.onAdmitted(run, epoch);
  }

  /** The earlier answer, for a worker that takes back what it said. */
  #asSaid(status: TaskStatus): TaskStatus {
    if (!this.takesBack || !status.active || status.rows_read === 0) return status;
    const said = this.earlier;
    this.earlier ??= status;
    return said?.task_id === status.task_id && said.rows_read < status.rows_read ? said : status;
  }

  #read(request: TaskRequest, signal: AbortSignal): TaskRun {
    const reading = new Reading(request, this.options, signal);
    return reading.run();
  }
}

/** One task's reading and sending. */
class Reading {
  readonly #request: TaskRequest;
  readonly #options: WorkerOptions;
  readonly #signal: AbortSignal;
  readonly #settlement = new Settlement(1);
  readonly #failed = new AbortController();
  #end: bigint | null;
  #position: bigint | null = null;
  #firstKey: bigint | null = null;
  #sentBytes = 0;
  #retries = 0;
  #waitingFor: 'database' | 'cluster' | null = null;
  /** The end of the highest batch that is over, for a worker whose guard of the settled key is taken out. */
  #highest: bigint | null = null;

  constructor(request: TaskRequest, options: WorkerOptions, signal: AbortSignal) {
    this.#request = request;
    this.#options = options;
    this.#signal = signal;
    this.#end = keyOf(request.end_index);
  }

  run(): TaskRun {
    const { without } = this.#options;
    const counts = this.#settlement.counts;
    return {
      done: Promise.race([this.#perform(), aborted(this.#signal), aborted(this.#failed.signal)]),
      lowerEnd: (key) => {
        const end = BigInt(key);
        if (this.#position !== null && this.#position >= end) return false;
        this.#end = end;
        return true;
      },
      inFlight: () => NOTHING_IN_FLIGHT,
      figures: () => ({
        settledThrough: without.has('settled key') ? this.#highest : this.#settlement.settledThrough,
        firstKey: this.#firstKey,
        counts,
        bytesSent: this.#sentBytes,
        retries: this.#retries,
        waitingFor: this.#waitingFor,
      }),
    };
  }

  async #perform(): Promise<void> {
    const { process, rowsPerBatch, batchMs } = this.#options;
    const rows = await this.#snapshot({ start: keyOf(this.#request.start_index), end: this.#end });
    this.#firstKey = rows[0]?.key ?? null;
    const bulks = new Set<Promise<void>>();
    let at = 0;
    for (;;) {
      await process.clock.sleep(batchMs, this.#signal);
      while (bulks.size >= MAX_BULKS) await Promise.race(bulks);
      this.#failed.signal.throwIfAborted();
      const batch = this.#next(rows, at, rowsPerBatch);
      if (batch.length === 0) break;
      at += batch.length;
      const bulk: Promise<void> = this.#send(batch)
        .catch((error: unknown) => this.#failed.abort(error))
        .finally(() => bulks.delete(bulk));
      bulks.add(bulk);
    }
    await Promise.all(bulks);
    this.#failed.signal.throwIfAborted();
  }

  /** The present rows of the range. A database that is down is asked again. */
  async #snapshot(range: KeyRange): Promise<readonly VirtualRow[]> {
    const { process, table, passage } = this.#options;
    for (;;) {
      try {
        const rows = await process.call(passage('database'), () => table.read(range));
        this.#waitingFor = null;
        const { changed_since: since } = this.#request;
        return since === undefined ? rows : rows.filter(({ version }) => version >= versionSince(since));
      } catch {
        this.#waitingFor = 'database';
        await process.clock.sleep(2_000, this.#signal);
      }
    }
  }

  #next(rows: readonly VirtualRow[], at: number, count: number): readonly VirtualRow[] {
    const end = this.#end;
    const batch = rows.slice(at, at + count).filter(({ key }) => end === null || key < end);
    this.#position = batch.at(-1)?.key ?? this.#position;
    return batch;
  }

  async #send(rows: readonly VirtualRow[]): Promise<void> {
    const { table, lies, definition } = this.#options;
    const isVersioned = definition.source.changedAt !== null;
    const items = rows
      .filter(({ key }) => !table.isFiltered(key))
      .map((row) => ({
        key: row.key,
        document: `{"id":${row.key},"name":${JSON.stringify(nameOf(row))}}`,
        ...(isVersioned ? { version: row.version } : {}),
      }));
    const filtered = rows.length - items.length;
    const last = rows.at(-1)?.key ?? null;
    const stretch = this.#settlement.enter({
      lastKey: last,
      rowsRead: rows.length,
      filtered,
      batches: [{ rows: rows.length, items: items.length, filtered, deadLetters: [] }],
    });
    const superseded = items.length > 0 && !lies() ? await this.#deliver(items) : 0;
    const indexed = items.length - superseded;
    this.#settlement.settle(stretch, 0, { indexed, superseded, filtered, deadLetters: 0 });
    if (last !== null && (this.#highest === null || last > this.#highest)) this.#highest = last;
  }

  /** Gives how many items were superseded by a newer version. */
  async #deliver(items: readonly BulkItem[]): Promise<number> {
    const { process, cluster, passage, queueMs } = this.#options;
    const alias = this.#request.targets[0]?.write_alias ?? '';
    for (let failures = 1; ; failures += 1) {
      try {
        this.#sentBytes += items.length * 40;
        const waitMs = queueMs();
        const outcomes = await process.call(passage('bulk'), () => cluster.bulk(alias, items, waitMs));
        this.#waitingFor = null;
        for (const outcome of outcomes)
          if (!outcome.ok && outcome.status !== 409)
            throw new TaskFailure('stop', outcome.type, `the cluster says ${outcome.status}`);
        return outcomes.filter(({ ok }) => !ok).length;
      } catch (error) {
        if (!(error instanceof Refused) && !(error instanceof TimedOut)) throw error;
        this.#retries += 1;
        this.#waitingFor = 'cluster';
        await process.clock.sleep(Math.min(30_000, 1_000 * 2 ** failures), this.#signal);
      }
    }
  }
}

function keyOf(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
  });
}
