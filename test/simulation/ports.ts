import type { KeyRange } from '../../definition/key/key-range.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { groupPinOf } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import type { Fleet } from '../../orchestrator/fleet/fleet.ts';
import type { FleetPass, PassWorkers } from '../../orchestrator/fleet/fleet-backend.ts';
import { type WorkerCalls, WorkerRefusal } from '../../orchestrator/fleet/worker-client.ts';
import type { ChangesSource } from '../../orchestrator/index/changes-source.ts';
import { ClusterError, refusal } from '../../orchestrator/index/cluster-error.ts';
import { guardedCalls } from '../../orchestrator/index/guarded-calls.ts';
import type { CallOptions, HttpMethod, SearchCalls } from '../../orchestrator/index/search-calls.ts';
import type { ExpectedRow, ValidationSource } from '../../orchestrator/index/validation-source.ts';
import type { FleetLock } from '../../orchestrator/journal/lock.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import type { Reporter } from '../../orchestrator/report/reporter.ts';
import type { SourceConnections } from '../../orchestrator/run/connections.ts';
import { Refusal } from '../../worker/refusal.ts';
import { TimedOut, type VirtualProcess } from './process.ts';
import { viewFor } from './group.ts';
import { isStray } from './stray-task.ts';
import { databaseTime, nameOf, versionSince } from './table.ts';
import type { VirtualWorker } from './worker.ts';
import type { CallKind, World } from './world.ts';

/** Makes a call to something outside for a process. The process may be killed or paused at the call. */
export type Call = <T>(kind: CallKind, what: string, perform: () => T | Promise<T>) => Promise<T>;

/** Calls to the cluster that change nothing although they are no GET. */
const ASKS = /\/(_count|_search|_msearch|_mget)(\?|$)|^\/_index_template\/_simulate_index\//;
const CLAIMS = /^\/places-claims/;
const CONDITIONAL = /^DELETE \/places-claims\/.*if_seq_no=/;
const POLL_INTERVAL_MS = 2_000;
/** How long the real client tries a call again, and the longest of its pauses. */
const CLUSTER_PATIENCE_MS = 300_000;
const SHORT_PATIENCE_MS = 20_000;
const LONGEST_PAUSE_MS = 5_000;

/** Everything outside that a run sees, for one virtual process. */
export class VirtualPorts {
  /** The epoch of the process's lock, once it has the lock. */
  epoch = 0;
  readonly #world: World;
  readonly #process: VirtualProcess;
  readonly #signal: AbortSignal;
  readonly #call: Call;

  constructor(world: World, process: VirtualProcess, signal: AbortSignal, call: Call) {
    this.#world = world;
    this.#process = process;
    this.#signal = signal;
    this.#call = call;
  }

  get store(): JournalStore {
    const { world, call } = { world: this.#world, call: this.#call };
    return {
      location: 'the virtual journal',
      create: (name, body) => call('journal', `create ${name}`, () => world.journal.create(name, body)),
      replace: (name, body) => call('journal', `replace ${name}`, () => world.journal.replace(name, body)),
      read: (name) => call('journal', `read ${name}`, () => world.journal.read(name)),
      remove: (name) => call('journal', `remove ${name}`, () => world.journal.remove(name)),
      list: (folder, part) => call('journal', `list ${folder}`, () => world.journal.list(folder, part)),
    };
  }

  /** @param pinned the image that its instances must have; null accepts any */
  fleet(run: string | null, pinned: string | null = null): Fleet {
    const world = this.#world;
    return {
      observe: async () =>
        viewFor(pinned, await this.#call('fleet', 'look at the fleet', () => world.lookAtFleet())),
      setDesired: (count) =>
        this.#changeFleet(`set desired ${count}`, () => {
          if (run !== null) world.group.run = run;
          world.group.setDesired(count);
        }),
      terminate: (instance, { decrement }) =>
        this.#changeFleet(`terminate ${instance}${decrement ? ' with decrement' : ''}`, () =>
          world.terminate(instance, decrement),
        ),
      close: () => Promise.resolve(),
    };
  }

  #changeFleet(what: string, change: () => void): Promise<void> {
    this.#noteChange(what);
    return this.#call('fleet', what, () => this.#world.changeFleet(change));
  }

  /** A claim is removed without the lock too, on the condition that it stands as it was read. */
  #noteChange(what: string): void {
    if (this.epoch === 0 && CONDITIONAL.test(what)) return;
    this.#world.noteChange({ name: this.#process.name, epoch: this.epoch }, what);
  }

  workers(pass: FleetPass): PassWorkers {
    const pinned = groupPinOf(pass.pin).image;
    return {
      fleet: this.fleet(pass.run, pinned),
      calls: this.callsOf(pass, (worker) => this.#world.requireImage(worker, pinned)),
      timing: this.#world.timing,
      pauseMs: () => POLL_INTERVAL_MS,
      close: () => Promise.resolve(),
    };
  }

  /** @param requireFit is called with each worker that is given work */
  callsOf({ run, epoch }: FleetPass, requireFit: (worker: string) => void = () => {}): WorkerCalls {
    const who = [run, epoch] as const;
    const world = this.#world;
    const ask = <T>(url: string, what: string, work: (worker: VirtualWorker) => T | Promise<T>): Promise<T> =>
      this.#call('worker', `${what} ${url}`, () => world.workers.reach(url, work)).catch((error: unknown) => {
        throw new WorkerRefusal(error instanceof Refusal ? error.status : 0, messageOf(error));
      });
    return {
      health: (url) => ask(url, 'health', (worker) => worker.health(...who)),
      task: (url, task) => ask(url, 'status', (worker) => worker.status(...who, task)),
      tasks: (url) =>
        ask(url, 'all tasks', (worker) => {
          const tasks = worker.tasks(...who);
          return world.without.has('adoption') ? tasks.filter(({ task_id: task }) => !isStray(task)) : tasks;
        }),
      post: (url, request) =>
        ask(url, `post ${request.task_id}`, (worker) => {
          requireFit(request.worker_id);
          world.requireAdopted(worker, request);
          return worker.post(...who, request);
        }),
      cut: (url, task, end) => ask(url, `cut ${task} at ${end}`, (worker) => worker.cut(...who, task, end)),
      cancel: (url, task) => ask(url, `cancel ${task}`, (worker) => worker.cancel(...who, task)),
      drain: (url) => ask(url, 'drain', (worker) => worker.takeNoMore(...who)),
    };
  }

  connections(lock: FleetLock): SourceConnections {
    return {
      cluster: guardedCalls(this.cluster, () => lock.requireHeld()),
      services: null,
      targetUrl: 'virtual',
      sourceAddress: { url: 'virtual', password: null },
      withSource: () => Promise.reject(new Error('there is no SQL in a virtual world')),
      withValidationSource: (_described, work) => work(this.#validationSource),
      withChangesSource: (_described, work) => work(this.#changesSource),
      close: () => Promise.resolve(),
    };
  }

  get cluster(): SearchCalls {
    const ask: SearchCalls['callText'] = async (method, path, body, options) => {
      const call = (): Promise<{ status: number; text: string }> => {
        options?.beforeTry?.();
        if (method !== 'GET' && !ASKS.test(path)) this.#noteChange(`${method} ${path}`);
        return this.#call('cluster', `${method} ${path}`, () => this.#reach(method, path, body ?? null));
      };
      const { status, text } = await this.#answerOf(call, options);
      if (status >= 400 && method === 'DELETE' && this.#world.without.has('refused clean-up'))
        throw new Error(text);
      if (status >= 400) throw refusal(`${method} ${path}`, status, JSON.parse(text));
      return text;
    };
    const parsed = async (...args: Parameters<typeof ask>): Promise<unknown> =>
      JSON.parse(await ask(...args));
    return {
      where: 'virtual',
      callText: ask,
      call: parsed,
      callOrNull: (...args) =>
        parsed(...args).catch((error: unknown) => {
          if (error instanceof ClusterError && error.status === 404) return null;
          throw error;
        }),
      search: () => Promise.reject(new Error('nobody searches a virtual world')),
    };
  }

  /** Repeats a call when the cluster is overloaded or does not answer, as the real client does. */
  async #answerOf(
    call: () => Promise<{ status: number; text: string }>,
    { repeatable = true, waitingTimeoutMs = this.#patienceMs }: CallOptions = {},
  ): Promise<{ status: number; text: string }> {
    const { clock } = this.#process;
    let endMs: number | null = null;
    for (let pauseMs = 250; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const answer = await call().catch((error: unknown) => {
        if (error instanceof TimedOut) return null;
        throw error;
      });
      endMs ??= clock.monotonicMs() + waitingTimeoutMs;
      const mayBeAgain = clock.monotonicMs() + pauseMs <= endMs;
      const isRefused = answer?.status === 429 || (repeatable && answer?.status === 503);
      if (answer !== null && !(isRefused && mayBeAgain)) return answer;
      if (answer === null && !(repeatable && mayBeAgain))
        throw new ClusterError(0, 'unreachable', 'the cluster does not answer');
      await clock.sleep(pauseMs, this.#signal);
    }
  }

  /** Without the claim on the alias, each fleet sees an index of claims of its own. */
  async #reach(method: HttpMethod, path: string, body: unknown): Promise<{ status: number; text: string }> {
    const { cluster, without, fleet } = this.#world;
    if (!without.has('claim on the alias')) return cluster.call(method, path, body);
    const { status, text } = await cluster.call(method, path.replace(CLAIMS, `$&-${fleet}`), body);
    return { status, text: text.replaceAll(`places-claims-${fleet}`, 'places-claims') };
  }

  get #patienceMs(): number {
    return this.#world.without.has('patience') ? SHORT_PATIENCE_MS : CLUSTER_PATIENCE_MS;
  }

  #askSource<T>(perform: () => T): Promise<T> {
    return this.#call('source', 'validate', () => {
      if (this.#world.table.down) throw new Error('the database is down');
      return perform();
    });
  }

  get #changesSource(): ChangesSource {
    const { table, without } = this.#world;
    return {
      cutoff: () =>
        this.#askSource(() => {
          const at = databaseTime(this.#world.nowMs());
          return { at, oldest: at, doubts: [] };
        }),
      changedRows: (range, since) =>
        pagesOf(() =>
          this.#askSource(() =>
            without.has('changed rows')
              ? []
              : table
                  .read(range)
                  .filter(({ version }) => version >= versionSince(since))
                  .map((row) => ({ ...row, kept: !table.isFiltered(row.key) })),
          ),
        ),
      unseenRows: () => this.#askSource(() => 0),
      tableState: () =>
        this.#askSource(() => {
          const { table, proofs, without } = this.#world;
          proofs.looked({ epoch: this.epoch, writes: table.writes });
          return without.has('state of the table')
            ? { rows: null, writes: null, files: null }
            : { rows: table.rows, writes: table.writes, files: 'the same' };
        }),
    };
  }

  get #validationSource(): ValidationSource {
    const world = this.#world;
    const ask = <T>(perform: () => T): Promise<T> => this.#askSource(perform);
    return {
      count: (range) =>
        ask(() => ({
          rows: world.table.keysIn(range).length,
          kept: world.validatedKeys(range).length,
        })),
      placement: (ranges) =>
        ask(() => {
          const placed = ranges.reduce((sum, range) => sum + world.table.keysIn(range).length, 0);
          return { rows: world.without.has('placement') ? placed : world.table.rows, placed };
        }),
      keys: (range: KeyRange) => pagesOf(() => ask(() => world.validatedKeys(range))),
      fractions: () => ask(() => []),
      sampleKeys: () => ask(() => world.sampledKeys()),
      expectedRows: (keys) =>
        ask(() => {
          const wanted = new Set<unknown>(keys);
          return world.table
            .read({ start: null, end: null })
            .filter(({ key }) => wanted.has(key) && !world.table.isFiltered(key))
            .map((row): ExpectedRow => ({ key: row.key, values: [JSON.stringify(nameOf(row))] }));
        }),
    };
  }

  get reporter(): Reporter {
    const tell = (line: string): void => this.#world.tell(this.#process.name, line);
    return {
      phaseStarted: (phase) => tell(`begins ${phase}`),
      phaseFinished: (phase, _seconds, note) => tell(`ends ${phase}: ${note}`),
      progress: () => {},
      note: tell,
      warning: tell,
      failure: tell,
      close: () => {},
    };
  }
}

async function* pagesOf<T>(read: () => Promise<readonly T[]>): AsyncGenerator<readonly T[]> {
  yield await read();
}
