import type { DescribedDefinition, KeyRange } from '../../definition/definition.ts';
import { describedDigest, digestDefinition } from '../../definition/digest.ts';
import { exitCodeOf, Interrupted, messageOf } from '../../orchestrator/errors.ts';
import type { Fleet } from '../../orchestrator/fleet/fleet.ts';
import { sweepFleet } from '../../orchestrator/fleet/sweep.ts';
import { type WorkerCalls, WorkerRefusal } from '../../orchestrator/fleet/worker-client.ts';
import { ClusterError, refusal } from '../../orchestrator/index/cluster-error.ts';
import { guardedCalls } from '../../orchestrator/index/guarded-calls.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import type { ExpectedRow, ValidationSource } from '../../orchestrator/index/validation-source.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import type { FleetLock } from '../../orchestrator/journal/lock.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import type { RunIdentity } from '../../orchestrator/reconcile/events.ts';
import type { Reporter } from '../../orchestrator/report/reporter.ts';
import { abandonRun } from '../../orchestrator/run/abandon-run.ts';
import { type BegunRun, claimRun } from '../../orchestrator/run/begin-run.ts';
import { carryOut } from '../../orchestrator/run/carry-out.ts';
import { type ChosenRun, chooseRun, unfinishedClaim } from '../../orchestrator/run/choose-run.ts';
import type { SourceConnections } from '../../orchestrator/run/connections.ts';
import type { PassWorkers, RunContext } from '../../orchestrator/run/context.ts';
import type { Offline } from '../../orchestrator/run/offline.ts';
import type { WorkPhase } from '../../orchestrator/run/phases.ts';
import { withLock } from '../../orchestrator/run/with-lock.ts';
import { Refusal } from '../../worker/refusal.ts';
import { type Passage, TimedOut, type VirtualProcess } from './process.ts';
import type { World } from './world.ts';

export type Command = 'run' | 'claim' | WorkPhase | 'abandon' | 'sweep';

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly message: string;
}

/** As the real client's retries. */
const CLUSTER_TRIES = 4;

type CallKind = 'worker' | 'fleet' | 'cluster' | 'journal' | 'source';

/**
 * The command line in virtual time. From the lock to the last phase it is the real run: only what is beyond a port
 * (journal store, fleet, workers, cluster, table, clock) is virtual, and so is the planning of a new run.
 */
export class VirtualOrchestrator {
  readonly process: VirtualProcess;
  /** It drove a run, and held the lock when it had ended. */
  heldToTheEnd = false;
  readonly #world: World;
  readonly #signal = new AbortController();
  readonly command: Command;
  readonly #runKey: string;

  constructor(world: World, process: VirtualProcess, command: Command, runKey: string) {
    this.#world = world;
    this.process = process;
    this.command = command;
    this.#runKey = runKey;
  }

  /** As by SIGTERM. */
  interrupt(): void {
    this.#signal.abort(new Interrupted('SIGTERM'));
  }

  async perform(): Promise<Ended> {
    try {
      await this.#perform();
      return { code: 0, message: 'done' };
    } catch (error) {
      const reason: unknown = this.#signal.signal.aborted ? this.#signal.signal.reason : error;
      return { code: exitCodeOf(reason), message: messageOf(reason) };
    }
  }

  async #perform(): Promise<void> {
    const offline = this.#offline();
    const isRun = this.command !== 'abandon' && this.command !== 'sweep';
    if (isRun && this.#isOver(await this.#choose(offline))) return;
    const { clock } = this.process;
    const request = {
      store: offline.store,
      leaseMs: offline.settings.journal.lease_ms,
      holder: {
        host: 'virtual',
        pid: 1,
        identity: null,
        since: clock.now().toISOString(),
        purpose: this.process.name,
      },
      stateOfHolder: () => Promise.resolve('unknown' as const),
      clock,
      reporter: this.#reporter(),
      signal: this.#signal.signal,
    };
    await withLock(request, async (lock, signal) => {
      if (this.command === 'abandon')
        return void (await abandonRun({
          store: offline.store,
          cluster: this.#cluster(),
          lock,
          clock,
          signal,
          runKey: null,
        }));
      if (this.command === 'sweep') return this.#sweep(offline, lock, signal);
      const chosen = await this.#choose(offline);
      if (!this.#isOver(chosen)) await this.#carryOut(offline, chosen, lock, signal, this.command);
    });
  }

  #choose({ store, definitionDigest }: Offline): Promise<ChosenRun> {
    return chooseRun(store, { runKey: this.#runKey, definitionDigest, now: this.process.clock.now() });
  }

  #isOver(chosen: ChosenRun): boolean {
    return chosen.kind === 'finished';
  }

  async #carryOut(
    offline: Offline,
    chosen: ChosenRun,
    lock: FleetLock,
    signal: AbortSignal,
    command: 'run' | 'claim' | WorkPhase,
  ): Promise<void> {
    const { clock } = this.process;
    const begun = this.#begin(chosen);
    const journal = await claimRun(offline, begun, chosen, lock, clock);
    const run: RunContext = {
      ...begun,
      offline,
      connections: this.#connections(lock),
      journal,
      lock,
      workers: (context) => this.#workers(context),
      clock,
      reporter: this.#reporter(),
      signal,
      promoteLimit: null,
    };
    try {
      await carryOut(run, command);
    } finally {
      this.heldToTheEnd = holds(lock);
    }
  }

  async #sweep({ store }: Offline, lock: FleetLock, signal: AbortSignal): Promise<void> {
    const claim = await unfinishedClaim(store);
    const claimed = claim === null ? null : { runKey: claim.runKey, writtenAt: new Date(claim.at) };
    this.#world.noteSweep(
      await sweepFleet({
        fleet: this.#fleet(null),
        lock,
        claimed,
        graceMs: 600_000,
        zeroQuietMs: this.#world.timing.zeroQuietMs,
        clock: this.process.clock,
        reporter: this.#reporter(),
        signal,
      }),
    );
  }

  /** What planning would have said: the world planned the ranges. */
  #begin(chosen: ChosenRun): BegunRun {
    const { described, plan, build } = this.#world;
    if (chosen.kind !== 'new' && chosen.state.identity !== null)
      return { described, identity: chosen.state.identity, firstEvents: [] };
    const { run, runKey } = chosen.kind === 'new' ? chosen : chosen.claim;
    const at = this.process.clock.now().toISOString();
    const identity: RunIdentity = {
      run,
      runKey,
      fleet: 'virtual',
      alias: described.definition.alias,
      definition: described.definition.name,
      definitionDigest: describedDigest(described),
      build,
      source: 'virtual',
      startedAt: at,
      rows: 0,
      rowsExact: true,
    };
    return {
      described,
      identity,
      firstEvents: [
        { type: 'run_started', ...identity },
        { type: 'planned', ...plan },
        { type: 'phase_started', phase: 'plan', at },
        { type: 'phase_finished', phase: 'plan', at, record: {} },
      ],
    };
  }

  #offline(): Offline {
    const { settings, loaded } = this.#world;
    return {
      settings,
      loaded,
      definitionDigest: digestDefinition(loaded.definition),
      build: this.#world.build,
      store: certainStore(this.#store(), this.process.clock),
      environment: {},
    };
  }

  /** Every call of this process to anything outside: here it may be killed or paused. */
  #call<T>(kind: CallKind, what: string, perform: () => T | Promise<T>): Promise<T> {
    const passage: Passage = this.#world.passage(kind, what);
    const go = (): Promise<T> => this.process.call(passage, perform);
    return this.#world.beforeCall(this, what, go);
  }

  #store(): JournalStore {
    const { world, call } = { world: this.#world, call: this.#call.bind(this) };
    return {
      location: 'the virtual journal',
      create: (name, body) => call('journal', `create ${name}`, () => world.journal.create(name, body)),
      replace: (name, body) => call('journal', `replace ${name}`, () => world.journal.replace(name, body)),
      read: (name) => call('journal', `read ${name}`, () => world.journal.read(name)),
      list: (folder) => call('journal', `list ${folder}`, () => world.journal.list(folder)),
    };
  }

  #fleet(run: string | null): Fleet {
    const world = this.#world;
    return {
      kind: 'local',
      observe: () => this.#call('fleet', 'look at the fleet', () => world.lookAtFleet()),
      setDesired: (count) =>
        this.#call('fleet', `set desired ${count}`, () =>
          world.changeFleet(() => {
            if (run !== null) world.group.run = run;
            world.group.setDesired(count);
          }),
        ),
      terminate: (instance, { decrement }) =>
        this.#call('fleet', `terminate ${instance}${decrement ? ' with decrement' : ''}`, () =>
          world.changeFleet(() => world.terminate(instance, decrement)),
        ),
      close: () => Promise.resolve(),
    };
  }

  #workers({ identity, lock }: RunContext): PassWorkers {
    const who = [identity.run, lock.epoch] as const;
    const world = this.#world;
    const ask = <T>(
      url: string,
      what: string,
      work: (worker: ReturnType<World['workerAt']>) => T | Promise<T>,
    ): Promise<T> =>
      this.#call('worker', `${what} ${url}`, () => world.reach(url, work)).catch((error: unknown) => {
        throw new WorkerRefusal(error instanceof Refusal ? error.status : 0, messageOf(error));
      });
    const calls: WorkerCalls = {
      health: (url) => ask(url, 'health', (worker) => worker.health(...who)),
      task: (url, task) => ask(url, 'status', (worker) => worker.status(...who, task)),
      post: (url, request) => ask(url, `post ${request.task_id}`, (worker) => worker.post(...who, request)),
      cut: (url, task, end) => ask(url, `cut ${task} at ${end}`, (worker) => worker.cut(...who, task, end)),
      cancel: (url, task) => ask(url, `cancel ${task}`, (worker) => worker.cancel(...who, task)),
    };
    return { fleet: this.#fleet(identity.run), calls, timing: world.timing, close: () => Promise.resolve() };
  }

  #connections(lock: FleetLock): SourceConnections {
    return {
      cluster: guardedCalls(this.#cluster(), () => lock.requireHeld()),
      services: null,
      targetUrl: 'virtual',
      sourceAddress: { url: 'virtual', password: null },
      withSource: () => Promise.reject(new Error('there is no SQL in a virtual world')),
      withValidationSource: (described, work) => work(this.#validationSource(described)),
      close: () => Promise.resolve(),
    };
  }

  #cluster(): SearchCalls {
    const ask: SearchCalls['callText'] = async (method, path, body, options) => {
      const call = (): Promise<{ status: number; text: string }> =>
        this.#call('cluster', `${method} ${path}`, () =>
          this.#world.cluster.call(method, path, body ?? null),
        );
      const { status, text } = await this.#answerOf(call, options?.repeatable === false ? 1 : CLUSTER_TRIES);
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

  /** Made again when the cluster is overloaded or does not answer, as the real client does. */
  async #answerOf(
    call: () => Promise<{ status: number; text: string }>,
    tries: number,
  ): Promise<{ status: number; text: string }> {
    const again = async (): Promise<{ status: number; text: string }> => {
      await this.process.clock.sleep(500, this.#signal.signal);
      return this.#answerOf(call, tries - 1);
    };
    try {
      const answer = await call();
      const overloaded = answer.status === 429 || answer.status === 503;
      return overloaded && tries > 1 ? await again() : answer;
    } catch (error) {
      if (!(error instanceof TimedOut)) throw error;
      if (tries > 1) return again();
      throw new ClusterError(0, 'unreachable', 'the cluster does not answer', { cause: error });
    }
  }

  #validationSource(_described: DescribedDefinition): ValidationSource {
    const world = this.#world;
    const ask = <T>(perform: () => T): Promise<T> =>
      this.#call('source', 'validate', () => {
        if (world.table.down) throw new Error('the database is down');
        return perform();
      });
    return {
      count: (range) =>
        ask(() => ({
          rows: world.table.keysIn(range).length,
          kept: world.validatedKeys(range, false).length,
        })),
      keys: (range: KeyRange) => pagesOf(() => ask(() => world.validatedKeys(range, true))),
      sampleKeys: () => ask(() => []),
      expectedRows: () => ask((): ExpectedRow[] => []),
    };
  }

  #reporter(): Reporter {
    const tell = (line: string): void => this.#world.tell(this.process.name, line);
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

function holds(lock: FleetLock): boolean {
  try {
    lock.requireHeld();
    return true;
  } catch {
    return false;
  }
}

async function* pagesOf(read: () => Promise<readonly bigint[]>): AsyncGenerator<readonly bigint[]> {
  yield await read();
}
