import { describedDigest, digestDefinition } from '../../definition/digest.ts';
import { exitCodeOf } from '../../definition/failure.ts';
import { Interrupted, messageOf } from '../../orchestrator/errors.ts';
import { fleetPinOf } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import type { FleetBackend } from '../../orchestrator/fleet/fleet-backend.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import type { FleetLock } from '../../orchestrator/journal/lock.ts';
import type { RunIdentity } from '../../orchestrator/reconcile/identity.ts';
import { abandonRun } from '../../orchestrator/run/abandon-run.ts';
import { freeAlias } from '../../orchestrator/run/alias-claim.ts';
import { type BegunRun, claimRun } from '../../orchestrator/run/begin-run.ts';
import { carryOut } from '../../orchestrator/run/carry-out.ts';
import { type ChosenRun, chooseRun } from '../../orchestrator/run/choose-run.ts';
import type { RunContext } from '../../orchestrator/run/context.ts';
import type { Offline } from '../../orchestrator/run/offline.ts';
import { isPhaseDone, type WorkPhase } from '../../orchestrator/reconcile/phases.ts';
import { sweep } from '../../orchestrator/run/sweep.ts';
import { type LockRequest, withLock } from '../../orchestrator/run/with-lock.ts';
import { LOCAL } from '../../orchestrator/fleet/local/pin.ts';
import type { Settings } from '../../orchestrator/settings.ts';
import { besideBackend } from './beside.ts';
import { type Call, VirtualPorts } from './ports.ts';
import type { Passage, VirtualProcess } from './process.ts';
import type { CallKind, World } from './world.ts';
import type { FleetPin } from '../../orchestrator/reconcile/fleet-pin.ts';
import { targetNames } from '../../orchestrator/index/names.ts';

export type Command =
  | 'run'
  | 'claim'
  | WorkPhase
  | 'abandon'
  | 'free alias'
  | 'free alias by force'
  | 'sweep';

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly message: string;
}

/** What a command works with while it holds the fleet. */
interface Locked {
  readonly offline: Offline;
  readonly chosen: ChosenRun;
  readonly lock: FleetLock;
  readonly signal: AbortSignal;
}

/**
 * The command line in virtual time. It runs the real code from the lock to the last phase. Only what is behind a port
 * (journal store, fleet, workers, cluster, table, clock) is virtual, and the planning of a new run.
 */
export class VirtualOrchestrator {
  readonly process: VirtualProcess;
  /** Whether it drove a run and held the lock at its end. */
  heldToTheEnd = false;
  /** Whether its phase was done before it began. */
  foundDone = false;
  readonly #world: World;
  readonly #ports: VirtualPorts;
  readonly #signal = new AbortController();
  readonly command: Command;
  readonly #runKey: string;

  constructor(world: World, process: VirtualProcess, command: Command, runKey: string) {
    this.#world = world;
    this.process = process;
    this.command = command;
    this.#runKey = runKey;
    const call: Call = (kind, what, work) => this.#call(kind, what, work);
    this.#ports = new VirtualPorts(world, process, this.#signal.signal, call);
  }

  /** Interrupts the command as SIGTERM does. */
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
    if (this.command === 'free alias') return this.#freeAlias(offline, false);
    if (this.command === 'free alias by force') return this.#freeAlias(offline, true);
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
      reporter: this.#ports.reporter,
      signal: this.#signal.signal,
    };
    const { command } = this;
    if (command === 'sweep') return this.#sweep(request);
    await withLock(request, async (lock, signal) => {
      this.#ports.epoch = lock.epoch;
      if (command === 'abandon') return this.#abandon(offline, lock, signal);
      const chosen = await this.#choose(offline);
      if (!this.#isOver(chosen)) await this.#carryOut({ offline, chosen, lock, signal }, command);
    });
  }

  #choose({ store, definitionDigest }: Offline): Promise<ChosenRun> {
    return chooseRun(store, {
      runKey: this.#runKey,
      definitionDigests: [definitionDigest],
      now: this.process.clock.now(),
    });
  }

  #isOver(chosen: ChosenRun): boolean {
    return chosen.kind === 'finished';
  }

  async #carryOut(
    { offline, chosen, lock, signal }: Locked,
    command: 'run' | 'claim' | WorkPhase,
  ): Promise<void> {
    const { clock } = this.process;
    const begun = this.#begin(chosen);
    const journal = await claimRun(offline.store, begun, chosen, {
      lock,
      clock,
      loaded: offline.loaded,
    });
    const run: RunContext = {
      ...begun,
      offline,
      connections: this.#ports.connections(lock),
      journal,
      lock,
      workers: {
        check: () => Promise.reject(new Error('the world has planned the run')),
        open: (pass) => Promise.resolve(this.#ports.workers(pass)),
        openFleet: this.#openFleet,
      },
      clock,
      reporter: this.#ports.reporter,
      signal,
      promoteLimit: null,
      accepts: {
        ...this.#world.accepts,
        ...(this.#world.without.has('shrink limit') ? { shrink: true } : {}),
        ...(this.#world.without.has('index of another fleet') ? { foreign: true } : {}),
      },
      host: 'virtual',
      maxCost: null,
    };
    this.foundDone = command !== 'run' && command !== 'claim' && isPhaseDone(journal.state.phases, command);
    try {
      await carryOut(run, command);
    } finally {
      this.heldToTheEnd = holds(lock);
    }
  }

  readonly #openFleet: FleetBackend['openFleet'] = () =>
    Promise.resolve({ fleet: this.#ports.fleet(null), timing: this.#world.timing });

  async #abandon({ store }: Offline, lock: FleetLock, signal: AbortSignal): Promise<void> {
    const { clock } = this.process;
    const { cluster } = this.#ports;
    const openFleet = this.#openFleet;
    await abandonRun({ store, cluster, openFleet, lock, clock, signal, runKey: null });
  }

  /** As `abandon --alias places` does, with `--force` or without. */
  async #freeAlias({ store }: Offline, force: boolean): Promise<void> {
    const { fleet, described } = this.#world;
    const freed = await freeAlias(this.#ports.cluster, described.definition.alias, { store, fleet, force });
    if (freed !== null && force) this.#world.noteForce();
  }

  async #sweep(request: Omit<LockRequest, 'whileHeld'>): Promise<void> {
    const swept = await sweep({
      lock: request,
      openFleet: this.#openFleet,
      onHeld: ({ epoch }) => {
        this.#ports.epoch = epoch;
      },
      ...this.#world.sweepRules,
    });
    this.#world.noteSweep(swept);
  }

  /** Gives the plan of a new run. The world has planned its ranges. */
  #begin(chosen: ChosenRun): BegunRun {
    const { described, plan, build } = this.#world;
    const { alias, name } = described.definition;
    if (chosen.kind !== 'new' && chosen.state.identity !== null)
      return this.#begun(chosen.state.identity, []);
    const { run, runKey } = chosen.kind === 'new' ? chosen : chosen.claim;
    const at = this.process.clock.now().toISOString();
    const identity: RunIdentity = {
      run,
      runKey,
      fleet: this.#world.fleet,
      build,
      source: 'virtual',
      startedAt: at,
      rows: 0,
      rowsExact: true,
      targets: [
        {
          definition: name,
          definitionDigest: describedDigest(described),
          alias,
          ...targetNames(alias, run),
        },
      ],
    };
    const record = { ranges: plan.ranges.length, expected_bytes: null, bytes_per_row: null };
    return this.#begun(identity, [
      { type: 'run_started', ...identity },
      { type: 'fleet_pinned', pin: this.#pin },
      { type: 'planned', ...plan },
      { type: 'phase_started', phase: 'plan', at },
      { type: 'phase_finished', phase: 'plan', at, record },
    ]);
  }

  #begun(identity: RunIdentity, firstEvents: BegunRun['firstEvents']): BegunRun {
    const [target] = identity.targets;
    return { identity, targets: [{ ...target, described: this.#world.described }], firstEvents };
  }

  get #pin(): FleetPin {
    return fleetPinOf({
      region: 'eu-central-1',
      group: 'virtual',
      template: { id: 'lt-1', version: '1' },
      image: this.#world.group.image,
      parameter: { name: 'image', version: 1 },
    });
  }

  #offline(): Offline {
    const { loaded } = this.#world;
    return {
      settings: this.#settings,
      loaded,
      definitionDigest: digestDefinition(loaded.definition),
      build: this.#world.build,
      store: certainStore(this.#ports.store, this.process.clock),
      checkJournal: () => Promise.resolve(),
      environment: {},
    };
  }

  /** A pass beside the orchestrator opens the fleet that the settings choose, if that is one of local processes. */
  get #settings(): Settings {
    const { settings } = this.#world;
    const { backend } = settings;
    const beside = besideBackend(this.#world, this.process, (pass) => this.#ports.callsOf(pass));
    return {
      ...settings,
      backend: {
        traits: { ...backend.traits, kind: LOCAL },
        sweepGraceMs: backend.sweepGraceMs,
        connect: () => Promise.resolve(beside),
        faultsWith: () => [],
      },
    };
  }

  /** Makes a call of this process to something outside. The process may be killed or paused here. */
  #call<T>(kind: CallKind, what: string, perform: () => T | Promise<T>): Promise<T> {
    const passage: Passage = this.#world.passage(kind, what);
    const go = (): Promise<T> => this.process.call(passage, perform);
    return this.#world.beforeCall(this, what, go);
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
