import type { DescribedDefinition } from '../../definition/definition.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import { groupPinOf } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import type { FleetTiming } from '../../orchestrator/fleet/fleet-backend.ts';
import type { TaskRequest } from '../../worker/contract.ts';
import type { RunPlan } from '../../orchestrator/reconcile/run-plan.ts';
import type { Swept, SweepRules } from '../../orchestrator/run/sweep.ts';
import { Throttled } from '../../orchestrator/errors.ts';
import type { Settings } from '../../orchestrator/settings.ts';
import type { Index } from '../../embedded/development-node/indexes.ts';
import { AliasUse } from './alias-use.ts';
import { VirtualCluster } from './cluster.ts';
import { metaOf, wasPromoted } from './cluster-quirks.ts';
import { drawProperties, makeEarlierIndex } from './earlier-index.ts';
import { type Fault, FaultCounts } from './faults.ts';
import { type GroupView, VirtualGroup } from './group.ts';
import { StretchAccount, Violation } from './invariants.ts';
import { VirtualJournal } from './journal.ts';
import { type Passage, VirtualProcess } from './process.ts';
import { ProofWatch } from './proof-watch.ts';
import { type Random, seededRandom } from './random.ts';
import { type AliasMoved, isShrunk, lossesOf, servedBy } from './readers.ts';
import { BUILD, drawScene, type Scene } from './scene.ts';
import { Scheduler } from './scheduler.ts';
import { Staleness } from './staleness.ts';
import { isStray } from './stray-task.ts';
import { VirtualTable } from './table.ts';
import type { VirtualWorker } from './worker.ts';
import { WorldWorkers } from './world-workers.ts';

/** Guards of the design that a test takes out, to see that the simulation notices it. */
export const GUARDS = [
  'write block',
  'write alias',
  'epoch',
  'single decrement',
  'settled key',
  'independent count',
  'adoption',
  'placement',
  'trial alias',
  'shrink limit',
  'last index',
  'dropped values',
  'found samples',
  'age of the proof',
  'state of the table',
  'refused clean-up',
  'patience',
  'claim on the alias',
  'index of another fleet',
  'changed rows',
] as const;
export type Guard = (typeof GUARDS)[number];

export interface WorldOptions {
  readonly seed: number;
  readonly without?: ReadonlySet<Guard>;
  /** The only faults of the world, whatever its seed says. */
  readonly faults?: readonly Fault[];
  /** Is told what happens, in virtual seconds. */
  readonly story?: (line: string) => void;
}

/** What all worlds share. It is made once and never changes. */
export interface Setting {
  readonly settings: Settings;
  /** The definition without `changed_at`, and with it. */
  readonly plain: DescribedTable;
  readonly versioned: DescribedTable;
}

interface DescribedTable {
  readonly loaded: LoadedDefinition;
  readonly described: DescribedDefinition;
}

export type CallKind = 'worker' | 'fleet' | 'cluster' | 'journal' | 'source' | 'database' | 'bulk';

/** The longest time that a caller waits for a lost call, by the kind of its receiver. */
const TIMEOUT_MS: Readonly<Record<CallKind, number>> = {
  worker: 5_000,
  fleet: 8_000,
  cluster: 10_000,
  journal: 2_000,
  source: 10_000,
  database: 5_000,
  bulk: 20_000,
};
const CHANGES = 'rows change after they were read';
/** A view of the fleet may be stale for so long, and a call that timed out may take effect within it. */
const STALE_MS = 8_000;
/** This is more than the workers' lease. */
const GRACE_MS = 600_000;
const KEPT_MS = 60_000;
const CLOCKS_HOURS_APART_MS = 26 * 3_600_000;
/** A slow holder's clock and a fast contender's clock differ by this at the end of a lease of 15 s. */
const CLOCKS_DIFFER_MS = 350;

/** A process that drives a run, as its disturbers see it. */
export interface Meddled {
  readonly process: VirtualProcess;
  /** Interrupts it as a signal does. */
  interrupt(): void;
}

/** One virtual world: its parts, its faults, and what must hold after every step. */
export class World {
  readonly seed: number;
  readonly scene: Scene;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly faults: FaultCounts;
  /** The name of the fleet. */
  readonly fleet: string;
  /** Another fleet with a journal of its own, on the same cluster, table and alias. Null: there is none. */
  neighbour: World | null = null;
  /** A person has freed the alias of a claim by force, and answers for what follows. */
  freedByForce = false;
  readonly workers = new WorldWorkers(this);
  readonly table: VirtualTable;
  readonly cluster: VirtualCluster;
  readonly group: VirtualGroup;
  readonly journal: VirtualJournal;
  readonly plan: RunPlan;
  readonly build = BUILD;
  readonly settings: Settings;
  readonly loaded: LoadedDefinition;
  readonly described: DescribedDefinition;
  readonly without: ReadonlySet<Guard>;
  /** Terminates an ended instance again while a view may still be stale. This is the harder case. */
  readonly timing: FleetTiming = {
    zeroQuietMs: 2 * STALE_MS,
    terminateTimeoutMs: STALE_MS / 2,
    readyTimeoutMs: 60_000,
    capacityTimeoutMs: 60_000,
  };
  /** What a person accepts of a promotion, once it was refused. */
  readonly accepts = { shrink: false, foreign: false };
  readonly proofs: ProofWatch;
  readonly aliasUse = new AliasUse();
  readonly staleness: Staleness;
  /** The first broken promise. */
  violation: Violation | null = null;
  /** Of the run that began last. */
  pinnedImage: string | null = null;
  /** Runs whose journal a sweep has deleted. */
  cleanedRuns = 0;
  /** The time at which each epoch first changed fleet or cluster. */
  readonly #firstChangesMs = new Map<number, number>();
  readonly #story: ((line: string) => void) | null;
  /** The keys that the table held in each range when it was last validated, by the range's start. */
  readonly #validated = new Map<string, readonly bigint[]>();
  /** How each instance was first terminated, for a test without the single decrement. */
  readonly #firstDecrement = new Map<string, boolean>();

  /** @param first the world whose cluster, table and time it shares, as another fleet */
  constructor(options: WorldOptions, setting: Setting, first: World | null = null) {
    const { seed, without = new Set(), faults, story } = options;
    const random = seededRandom(seed);
    const drawn = drawScene(random);
    const scene = faults === undefined ? drawn : { ...drawn, faults: new Set(faults) };
    this.scheduler = first?.scheduler ?? new Scheduler();
    this.faults = first?.faults ?? new FaultCounts();
    this.fleet = first === null ? 'virtual' : 'neighbour';
    this.neighbour = first;
    this.seed = seed;
    this.scene = scene;
    this.random = first?.random.fork() ?? random.fork();
    this.without = without;
    this.#story = story ?? null;
    this.settings = withWorkers(setting.settings, scene.workers, without);
    this.proofs = new ProofWatch(setting.settings.validate.max_age_ms);
    const { loaded, described } = this.has(CHANGES) ? setting.versioned : setting.plain;
    this.loaded = loaded;
    this.described = described;
    this.plan = planOf(scene);
    const filtered = (key: bigint): boolean =>
      scene.filterEvery > 0 && key % BigInt(scene.filterEvery) === 0n;
    this.table = first?.table ?? new VirtualTable(scene.keys, filtered, () => this.nowMs());
    this.cluster = first?.cluster ?? this.#makeCluster();
    this.staleness = new Staleness(this.table, this.cluster, this.has(CHANGES));
    this.cluster.quirks.without = without;
    this.cluster.withoutBlock = without.has('write block');
    this.cluster.withoutAlias = without.has('write alias');
    this.group = new VirtualGroup(
      this.scheduler,
      { reactMs: 1_000, bootMs: random.whole(2_000, 15_000), shutdownMs: random.whole(500, 20_000) },
      { running: (id) => this.workers.start(id), gone: (id) => this.workers.switchOff(id) },
    );
    const rowsIn = (range: KeyRange): number | null =>
      this.#countsCannotBeKnown ? null : this.table.keysIn(range).length;
    const accounts = new Map<string, StretchAccount>();
    this.journal = new VirtualJournal(this, {
      written: (folder, events, epoch) => {
        this.proofs.read(folder, epoch, events, this.nowMs());
        this.aliasUse.read(folder, events);
        this.staleness.read(events, this.nowMs());
        for (const fault of events.flatMap((event) => this.staleness.faultOfRecord(event))) this.break(fault);
        const account = accounts.get(folder) ?? new StretchAccount({ rowsIn });
        accounts.set(folder, account);
        account.note(events);
        for (const event of events)
          if (event.type === 'fleet_pinned') this.pinnedImage = groupPinOf(event.pin).image;
      },
      // A key that is no longer known begins another run.
      removed: (folder) => void accounts.delete(folder),
      abandoned: (run) => this.#checkAbandoned(run),
    });
    if (first !== null) return;
    this.#makeEarlierIndex();
    if (!this.has('two fleets on one alias')) return;
    this.faults.note('two fleets on one alias');
    this.neighbour = new World(options, setting, this);
  }

  #makeCluster(): VirtualCluster {
    return new VirtualCluster(this.scheduler, {
      lateWrite: (alias, keys) =>
        this.break(`a bulk with ${keys.join(', ')} landed through ${alias}, whose pass had ended`),
      promoted: (move) => {
        const isOurs = this.neighbour === null || fleetOf(this.cluster, move.index) === this.fleet;
        (isOurs ? this : this.neighbour)?.checkPromotion(move);
      },
      deleted: (index) => this.#checkDeletion(index),
    });
  }

  #makeEarlierIndex(): void {
    const { earlier } = this.scene;
    if (earlier === 'none') return;
    const keys = this.table.keptIn({ start: null, end: null });
    const hasProperties = this.has('alias has properties');
    if (hasProperties) this.faults.note('alias has properties');
    const properties = hasProperties ? drawProperties(this.random) : {};
    makeEarlierIndex(this.cluster, { fleet: earlier === 'own' ? this.fleet : null, keys, properties });
  }

  nowMs(): number {
    return this.scheduler.nowMs;
  }

  has(fault: Fault): boolean {
    return this.scene.faults.has(fault);
  }

  /** Lets a fault happen with a chance, if it belongs to this world. */
  strikes(fault: Fault, chance: number): boolean {
    if (!this.has(fault) || !this.random.chance(chance)) return false;
    this.faults.note(fault);
    return true;
  }

  tell(who: string, what: string): void {
    this.#story?.(`${(this.scheduler.nowMs / 1000).toFixed(3).padStart(9)} s  ${who}: ${what}`);
  }

  /** Does something that may break a promise, and keeps the first broken one. */
  guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof Violation) this.break(error.message);
      throw error;
    }
  }

  break(what: string): void {
    this.violation ??= new Violation(what);
    if (this.neighbour !== null) this.neighbour.violation ??= this.violation;
    this.tell('BROKEN', what);
  }

  newProcess(name: string): VirtualProcess {
    if (!this.has('clocks differ')) return new VirtualProcess(this.scheduler, name, 0);
    this.faults.note('clocks differ');
    return new VirtualProcess(this.scheduler, name, this.random.next() * 2 - 1);
  }

  /** Each call of an orchestrator passes here. It may be killed, paused or interrupted before the call or during it. */
  beforeCall<T>(orchestrator: Meddled, what: string, go: () => Promise<T>): Promise<T> {
    this.tell(orchestrator.process.name, what);
    return this.meddle(orchestrator, go);
  }

  /** The driver sets this when it starts orchestrators. */
  meddle: <T>(orchestrator: Meddled, go: () => Promise<T>) => Promise<T> = (_, go) => go();

  /** What happens to a call. */
  passage(kind: CallKind, what: string): Passage {
    const slow = kind === 'cluster' || kind === 'source' ? 200 : 20;
    const fate = this.#fateOf(kind);
    if (fate !== 'arrives') this.tell('network', `${kind} call "${what}": ${fate.replace('_', ' ')}`);
    return {
      requestMs:
        fate === 'lost_answer' && this.random.chance(0.5)
          ? this.random.whole(0, STALE_MS)
          : this.random.whole(1, slow),
      answerMs: this.random.whole(1, slow),
      fate,
      timeoutMs: TIMEOUT_MS[kind],
    };
  }

  #fateOf(kind: CallKind): Passage['fate'] {
    const lost = LOST[kind];
    const late = LATE[kind];
    if (lost !== undefined && this.strikes(lost, 0.04)) return 'lost_request';
    if (late !== undefined && this.strikes(late, 0.04)) return 'lost_answer';
    return 'arrives';
  }

  lookAtFleet(): GroupView {
    const stale = this.strikes('view of the fleet is stale', 0.3) ? this.random.whole(500, STALE_MS) : 0;
    return this.group.view(stale);
  }

  changeFleet(change: () => void): void {
    if (this.strikes('fleet call is refused', 0.15)) throw new Error('ScalingActivityInProgress');
    if (this.strikes('fleet calls are throttled', 0.4)) throw new Throttled('Rate exceeded');
    change();
  }

  /** An orchestrator is about to change the fleet or the cluster. A later epoch must not have done so already. */
  noteChange({ name, epoch }: { readonly name: string; readonly epoch: number }, what: string): void {
    const nowMs = this.nowMs();
    if (!this.#firstChangesMs.has(epoch)) this.#firstChangesMs.set(epoch, nowMs);
    for (const [later, sinceMs] of this.#firstChangesMs)
      if (later > epoch && nowMs - sinceMs > CLOCKS_DIFFER_MS)
        this.break(`${name} (epoch ${epoch}) calls "${what}", though its lock was taken over`);
  }

  terminate(instance: string, decrement: boolean): void {
    const first = this.#firstDecrement.get(instance) ?? decrement;
    this.#firstDecrement.set(instance, first);
    this.group.terminate(instance, this.without.has('single decrement') ? first : decrement);
    if (this.group.decrementsOf(instance) > 1) this.break(`${instance} was decremented twice`);
  }

  /** Only an instance that matches the pin of the run gets work. */
  requireImage(instance: string, pinned: string | null): void {
    const image = this.group.imageOf(instance);
    if (image !== pinned)
      this.break(`${instance} of image ${image} is given work by a run pinned to ${pinned}`);
  }

  /** A worker is asked for all that it works on before it is given work, and what nobody knows is ended first. */
  requireAdopted({ options: { id }, activeTasks }: VirtualWorker, request: TaskRequest): void {
    const stray = activeTasks.find(isStray);
    if (stray !== undefined && request.worker_id === id)
      this.break(`${id} is given ${request.task_id} while it works on ${stray}, which nobody gave it`);
  }

  /** What the table holds now, as validation reads it. */
  validatedKeys(range: KeyRange): readonly bigint[] {
    const kept = this.table.keptIn(range);
    this.#validated.set(String(range.start), kept);
    if (!this.without.has('independent count')) return kept;
    const index = this.cluster.indexes.byName.keys().find((name) => /^places-\d+-\w+$/.test(name)) ?? '';
    const there = this.cluster.keysOf(index);
    return kept.filter((key) => there.has(String(key)));
  }

  /** Rows to compare field by field: all where only they show that the index lacks values, else some. */
  sampledKeys(): readonly bigint[] {
    const kept = this.table.keptIn({ start: null, end: null });
    const { hasDropped } = this.cluster.quirks;
    if (hasDropped !== null) return hasDropped === 'unsaid' ? kept : [];
    return kept.filter(() => this.random.chance(0.1));
  }

  /** Ages are far larger than the differences of clocks, and delete much in a world of hours. */
  get sweepRules(): SweepRules {
    const keepMs = this.has('clocks differ') ? CLOCKS_HOURS_APART_MS : KEPT_MS;
    return { graceMs: GRACE_MS, keepMs, keepLocksMs: keepMs };
  }

  noteForce(): void {
    this.freedByForce = true;
    if (this.neighbour !== null) this.neighbour.freedByForce = true;
  }

  noteSweep({ drivenBy, graceUntil, found, cleaned }: Swept): void {
    this.cleanedRuns += cleaned.runs.length;
    const did = drivenBy !== null ? 'left a live run' : graceUntil === null ? 'ended' : 'left alone';
    this.tell(
      'sweep',
      `${did}: ${found.length} instances; deleted ${cleaned.runs.join(', ')}, ${cleaned.locks} locks`,
    );
  }

  /** What must hold when the readers' alias moves to an index of this fleet. */
  checkPromotion(move: AliasMoved): void {
    const { index, keys, deadLetters } = move;
    const wanted = new Set([...this.#validated.values()].flat().map(String));
    const missing = [...wanted].filter((key) => !keys.has(key) && !deadLetters.has(key));
    const surplus = [...keys].filter((key) => !wanted.has(key));
    if (missing.length > 0) this.break(`${index} is promoted without ${missing.slice(0, 5).join(', ')}`);
    if (surplus.length > 0)
      this.break(`${index} is promoted with ${surplus.slice(0, 5).join(', ')}, which the table lacked`);
    if (this.table.unkeyed > 0)
      this.break(`${index} is promoted, and ${this.table.unkeyed} rows of the table are nowhere`);
    const proof = this.proofs.faultOfMove(!this.has('clocks differ'));
    for (const fault of [...lossesOf(move, this.accepts), ...(proof === null ? [] : [proof])])
      this.break(fault);
    this.#checkNeighbour(move);
    for (const fault of this.staleness.faultsOfMove(index)) this.break(fault);
  }

  /** Two fleets never work on one alias at once, and none replaces the other's index without leave. */
  #checkNeighbour({ index, before }: AliasMoved): void {
    if (this.neighbour === null) return;
    const there = (name: string): boolean => this.cluster.indexes.byName.has(name);
    const other = this.neighbour.aliasUse.atWork.find(there);
    if (other !== undefined && !this.freedByForce)
      this.break(`${index} is promoted while a run of another fleet builds ${other} for the same alias`);
    const theirs = before.find((served) => fleetOf(this.cluster, served.index) === this.neighbour?.fleet);
    if (theirs !== undefined && !this.accepts.foreign)
      this.break(`${index} replaces ${theirs.index} of another fleet, and nobody gave leave`);
  }

  /** The last index that had documents stays while the one in its place has lost most of them. */
  #checkDeletion(index: Index): void {
    const { indexes } = this.cluster;
    const [current] = indexes.holders('places').map((holder) => servedBy(holder, 'places'));
    const { held } = servedBy(index, 'places');
    if (current === undefined || !wasPromoted(index) || !isShrunk(held, current.held)) return;
    const others = [...indexes.byName.values()].filter(
      (other) => other.name !== current.index && wasPromoted(other) && servedBy(other, 'places').held > 0,
    );
    if (others.length === 0)
      this.break(`${index.name} with ${held} documents is deleted, and ${current.index} has ${current.held}`);
  }

  /** Nothing that it launched is left. A machine of another run may appear at any moment. */
  #checkAbandoned(run: string): void {
    const { desired } = this.group;
    const left = this.group.liveOf(run);
    if (left.length > 0 || (desired > 0 && !this.has('instance of another run is there')))
      this.break(
        `run ${run} is abandoned, and the fleet is not at zero: desired ${desired}, ${left.join(', ')}`,
      );
  }

  get #countsCannotBeKnown(): boolean {
    return this.table.changed || this.has('worker counts what it never sent');
  }
}

function fleetOf({ indexes }: VirtualCluster, name: string): string | null {
  const index = indexes.byName.get(name);
  return index === undefined ? null : (metaOf(index)?.fleet ?? null);
}

const LOST: Partial<Record<CallKind, Fault>> = {
  worker: 'call to a worker is lost',
  fleet: 'fleet call is lost',
  cluster: 'cluster call is lost',
  journal: 'journal write is lost',
};
const LATE: Partial<Record<CallKind, Fault>> = {
  worker: 'call to a worker takes effect and times out',
  fleet: 'fleet call takes effect and times out',
  cluster: 'cluster call takes effect and times out',
  journal: 'journal write takes effect and times out',
  bulk: 'bulk takes effect and times out',
};

function planOf({ keys, cuts }: Scene): RunPlan {
  const ends: (bigint | null)[] = [...cuts, null];
  const width = String(ends.length).length;
  const ranges = ends.map((end, i) => {
    const start = cuts[i - 1] ?? null;
    const rows = keys.filter((key) => (start === null || key >= start) && (end === null || key < end)).length;
    return {
      number: String(i + 1).padStart(width, '0'),
      start: start?.toString() ?? null,
      end: end?.toString() ?? null,
      rows,
      bytes: rows * 100,
    };
  });
  const [min, max] = [keys[0], keys.at(-1)];
  return {
    keyKind: 'integer',
    ranges,
    bounds: min === undefined || max === undefined ? null : { min: String(min), max: String(max) },
  };
}

function withWorkers(settings: Settings, count: number, without: ReadonlySet<Guard>): Settings {
  const validate = without.has('age of the proof')
    ? { ...settings.validate, max_age_ms: Number.MAX_SAFE_INTEGER }
    : settings.validate;
  return { ...settings, validate, workers: { ...settings.workers, count } };
}
