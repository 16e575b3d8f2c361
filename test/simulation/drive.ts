import { type Command, type Ended, VirtualOrchestrator } from './orchestrator.ts';
import { befall } from './befall.ts';
import type { Fault } from './faults.ts';
import { mend } from './person.ts';
import type { Meddled, World } from './world.ts';

/** A fault for one orchestrator, at its call of this number. */
interface Meddling {
  readonly atCall: number;
  readonly fault: Fault;
}

interface Driven {
  calls: number;
  readonly meddling: Meddling | null;
}

const PHASES = [
  'claim',
  'create-index',
  'reindex',
  'finalize',
  'validate',
  'promote',
  'retain',
  'release',
] as const;
/** Every run must have ended within this virtual time, whatever happened to it. */
const LONGEST_MS = 12 * 3_600_000;
const MOST_TRIES = 200;
const MOST_ABANDONED = 40;
const ASIDE: readonly Command[] = ['abandon', 'sweep', 'free alias', 'free alias by force'];
/** With these a caller may use its patience up for other reasons. */
const HINDER_PATIENCE: readonly Fault[] = [
  'cluster is down for minutes',
  'cluster refuses bulks for minutes',
  'orchestrator paused past its lease',
];
const LOOKS_LONG = 'person looks long before the promotion';
/** A proof holds for an hour. */
const LONGEST_LOOK_MS = 3 * 3_600_000;
/** At most so many orchestrators are killed, paused or interrupted in one world, or no run would ever end. */
const MOST_MEDDLED = 10;
/** After the last command, worker leases run out within this time and bring the fleet to zero. */
const AFTERMATH_MS = 900_000;

/**
 * Plays those who give commands: a scheduler that repeats a failed command, a person who abandons, and a sweep. Faults
 * of orchestrators and of their surroundings are drawn here.
 */
export class Driver {
  readonly #world: World;
  readonly #driven = new Map<Meddled, Driven>();
  readonly #starting = new Set<Promise<void>>();
  #resumes = true;
  /** Whether all its runs are over. */
  #isDone = false;
  #processes = 0;
  #meddled = 0;
  commands = 0;
  /** Exit codes of all commands that were not killed. */
  readonly codes = new Map<number, number>();

  /** The key of the fleet's first run. */
  readonly #firstKey: string;
  /** Who gives commands to the other fleet. Null: there is none. */
  readonly #neighbour: Driver | null;

  /** @param other who gives commands to the fleet beside this one */
  constructor(world: World, other: Driver | null = null) {
    this.#world = world;
    const { neighbour } = world;
    this.#firstKey = other === null ? 'monday' : 'elsewhere';
    this.#neighbour = other ?? (neighbour === null ? null : new Driver(neighbour, this));
    world.meddle = (orchestrator, go) => this.#meddle(orchestrator, go);
  }

  /** Drives a world to its end. The world keeps the first broken promise. */
  async drive(): Promise<void> {
    const { scheduler } = this.#world;
    befall(this.#world, (command) => this.#aside(command, 'monday', 0));
    const all = watched(this.#driveAll());
    await scheduler.run(LONGEST_MS, () => all.over || this.#broken);
    if (!all.over && !this.#broken) this.#world.break(`it has not ended after ${LONGEST_MS / 3_600_000} h`);
    if (this.#broken) return;
    await all.promise;
    if (this.#world.scene.faults.size === 0) this.#requirePeace();
    await this.#aftermath();
    if (!this.#broken && this.#neighbour !== null) await this.#neighbour.#aftermath();
  }

  /** A run without any fault took one command and replaced no worker. */
  #requirePeace(): void {
    const replaced =
      this.#world.journal.says('"replaced":true') || this.#world.journal.says('"charged":true');
    if (this.commands !== 1 || replaced)
      this.#world.break(
        `nothing befell it, and it took ${this.commands} commands${replaced ? ' and replaced workers' : ''}`,
      );
  }

  get #broken(): boolean {
    return this.#world.violation !== null;
  }

  async #driveAll(): Promise<void> {
    const world = this.#world;
    const drivers = [this.#untilDone(this.#firstKey, 0)];
    if (world.has('another run key')) {
      drivers.push(this.#untilDone('tuesday', world.random.whole(3_000, 60_000)));
      world.faults.note('another run key');
    }
    const elsewhere = this.#neighbour?.driveElsewhere();
    await Promise.all(drivers);
    this.#isDone = true;
    await elsewhere;
    await Promise.all(this.#starting);
    if (this.#neighbour !== null) await Promise.all(this.#neighbour.#starting);
  }

  /** Drives the one run of the other fleet. */
  async driveElsewhere(): Promise<void> {
    await this.#untilDone(this.#firstKey, this.#world.random.whole(0, 90_000));
    this.#isDone = true;
  }

  /** Repeats the command of a run until the run is done. */
  async #untilDone(runKey: string, afterMs: number): Promise<void> {
    await this.#wait(afterMs);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const ended = await this.#tryOnce(runKey);
      if (ended?.code === 0) return;
      if (!this.#resumes) return;
      if (ended?.code === 3) await this.#waitForOthers();
      if (ended?.code === 1 && mend(this.#world, ended.message) === 'abandon') await this.#abandon(runKey);
      await this.#wait(this.#world.random.whole(1_000, 90_000));
    }
    this.#world.break(`run ${runKey} is not done after ${MOST_TRIES} tries`);
  }

  /** Ends a run for good. A command that was cut off is repeated. */
  async #abandon(runKey: string): Promise<void> {
    for (let tries = 0; tries < MOST_ABANDONED; tries += 1) {
      const ended = await this.#give('abandon', runKey);
      if (ended?.code === 0 || (ended !== null && /has moved the alias/.test(ended.message))) return;
      await this.#wait(this.#world.random.whole(1_000, 90_000));
    }
  }

  /**
   * Waits for another run. When the other fleet has no more runs, its claim could not be removed, and a person removes
   * it there. When nobody carries its run on any more, a person removes the claim by force.
   */
  async #waitForOthers(): Promise<void> {
    await this.#wait(this.#world.random.whole(30_000, 200_000));
    if (this.#neighbour === null) return;
    if (!this.#neighbour.#resumes) await this.#give('free alias by force', 'any');
    else if (this.#neighbour.#isDone) await this.#neighbour.#give('free alias', 'any');
  }

  async #tryOnce(runKey: string): Promise<Ended | null> {
    const world = this.#world;
    if (world.strikes('orchestrator started twice', 0.4))
      this.#aside('run', runKey, world.random.whole(0, 20_000));
    const looksLong = world.has(LOOKS_LONG);
    if (!looksLong && !world.has('phases one by one')) return this.#give('run', runKey);
    world.faults.note(looksLong ? LOOKS_LONG : 'phases one by one');
    let ended: Ended | null = null;
    for (const phase of PHASES) {
      if (looksLong && phase === 'promote') await this.#lookLong();
      ended = await this.#give(phase, runKey);
      if (ended?.code !== 0) return ended;
      await this.#wait(world.random.whole(0, 120_000));
    }
    return ended;
  }

  /** Somebody looks at the index for up to some hours, while the table may go on changing. */
  async #lookLong(): Promise<void> {
    const { random, table } = this.#world;
    await this.#wait(random.whole(1_000, LONGEST_LOOK_MS));
    if (random.chance(0.5)) table.insert(BigInt(random.whole(-600, 1200)));
    const [key] = table.keys;
    if (this.#world.has('rows change after they were read') && key !== undefined) table.update(key);
  }

  /** Starts a process for a command and waits for its end. Gives null when the process was killed. */
  async #give(command: Command, runKey: string): Promise<Ended | null> {
    const world = this.#world;
    this.#processes += 1;
    this.commands += 1;
    const process = world.newProcess(`${command} ${runKey} #${this.#processes}`);
    const orchestrator = new VirtualOrchestrator(world, process, command, runKey);
    this.#driven.set(orchestrator, { calls: 0, meddling: this.#drawMeddling() });
    world.tell(process.name, 'starts');
    const death = this.#death(orchestrator);
    const ended = await Promise.race([orchestrator.perform(), death]);
    if (ended === null) world.tell(process.name, 'is dead');
    else this.#noteEnd(orchestrator, ended);
    process.kill();
    return ended;
  }

  /**
   * A process that held the lock to its end and was not ended by a signal leaves the fleet at zero. There are two
   * exceptions: a phase before the first one that works on the fleet, and a phase that was done before.
   */
  #noteEnd(
    { process, heldToTheEnd, foundDone, command }: VirtualOrchestrator,
    { code, message }: Ended,
  ): void {
    const world = this.#world;
    const { name } = process;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    world.tell(name, `exits with ${code}: ${message}`);
    if (!ASIDE.includes(command)) this.#checkPatience(process, { code, message });
    const { desired, live } = world.group;
    const atZero = desired === 0 && live.length === 0;
    const worked = code === 0 && (command === 'run' || (command === 'reindex' && !foundDone));
    if (heldToTheEnd && (worked || code === 1) && !atZero && !this.#othersAtWork(name))
      world.break(
        `${name} exits with ${code}, and the fleet is not at zero: desired ${desired}, ${live.join(', ')}`,
      );
  }

  /** Once the alias has moved, no refused clean-up fails a command. A busy cluster is waited for. */
  #checkPatience({ name }: VirtualOrchestrator['process'], { code, message }: Ended): void {
    const world = this.#world;
    if (code !== 1) return;
    const isRefused = /security_exception|snapshot_in_progress/.test(message);
    if (isRefused && !world.has('another run key') && world.journal.says('"type":"promoted"'))
      world.break(`${name} has moved the alias, and exits with 1: ${message}`);
    if (/: 429 \w+_exception/.test(message) && !HINDER_PATIENCE.some((fault) => world.has(fault)))
      world.break(`${name} does not wait for a busy cluster: ${message}`);
  }

  #othersAtWork(name: string): boolean {
    return [...this.#driven.keys()].some(({ process }) => process.alive && process.name !== name);
  }

  readonly #deaths = new Map<Meddled, () => void>();

  #death(orchestrator: Meddled): Promise<null> {
    return new Promise((resolve) => this.#deaths.set(orchestrator, () => resolve(null)));
  }

  #kill(orchestrator: Meddled): void {
    orchestrator.process.kill();
    this.#deaths.get(orchestrator)?.();
    if (this.#world.has('run never resumed')) {
      this.#world.faults.note('run never resumed');
      this.#resumes = false;
    }
  }

  #drawMeddling(): Meddling | null {
    const { random } = this.#world;
    const kinds = (
      [
        'orchestrator killed between two calls',
        'orchestrator killed in a call',
        'orchestrator paused past its lease',
        'orchestrator paused for a moment',
        'orchestrator interrupted',
        ...(this.#world.has('run never resumed') ? (['orchestrator killed between two calls'] as const) : []),
      ] as const
    ).filter(
      (fault) =>
        this.#world.has(fault) ||
        (fault === 'orchestrator killed between two calls' && this.#world.has('run never resumed')),
    );
    if (kinds.length === 0 || this.#meddled >= MOST_MEDDLED || random.chance(0.3)) return null;
    return {
      atCall: random.chance(0.5) ? random.whole(1, 60) : random.whole(1, 600),
      fault: random.pick(kinds),
    };
  }

  #meddle<T>(orchestrator: Meddled, go: () => Promise<T>): Promise<T> {
    const driven = this.#driven.get(orchestrator);
    if (driven === undefined) return go();
    driven.calls += 1;
    if (driven.meddling?.atCall !== driven.calls) return go();
    const { fault } = driven.meddling;
    this.#meddled += 1;
    this.#world.faults.note(fault);
    this.#world.tell(orchestrator.process.name, fault.replace('orchestrator ', ''));
    if (fault === 'orchestrator killed between two calls') {
      this.#kill(orchestrator);
      return new Promise(() => {});
    }
    if (fault === 'orchestrator interrupted') orchestrator.interrupt();
    if (fault === 'orchestrator paused past its lease')
      this.#pause(orchestrator, this.#world.random.whole(20_000, 200_000));
    if (fault === 'orchestrator paused for a moment')
      this.#pause(orchestrator, this.#world.random.whole(200, 9_000));
    const answer = go();
    if (fault === 'orchestrator killed in a call') this.#kill(orchestrator);
    return answer;
  }

  /** Pauses a process. During a long pause somebody gives the same command. */
  #pause({ process }: Meddled, ms: number): void {
    process.pause();
    this.#world.scheduler.after(ms, () => process.resume());
    if (ms >= 20_000) this.#aside('run', this.#firstKey, this.#world.random.whole(0, 15_000));
  }

  /** Gives a command beside the others, once. */
  #aside(command: Command, runKey: string, afterMs: number): void {
    this.#starting.add(this.#giveLater(command, runKey, afterMs));
  }

  async #giveLater(command: Command, runKey: string, afterMs: number): Promise<void> {
    await this.#wait(afterMs);
    await this.#give(command, runKey);
  }

  /** Runs after the last command. Leases end what was left, a sweep ends the rest, and then nothing is left. */
  async #aftermath(): Promise<void> {
    const { scheduler, group } = this.#world;
    const world = this.#world;
    this.#meddled = MOST_MEDDLED;
    await scheduler.run(scheduler.nowMs + AFTERMATH_MS, () => this.#broken);
    const left = group.live.filter((id) => !world.workers.isAbandoned(id));
    if (left.length > 0)
      return world.break(`${left.join(', ')} still run, though nobody calls them any more`);
    for (let tries = 0; tries < 5 && (group.desired > 0 || group.live.length > 0); tries += 1) {
      const sweep = watched(this.#give('sweep', 'any'));
      await scheduler.run(scheduler.nowMs + AFTERMATH_MS, () => sweep.over);
    }
    if (group.desired > 0 || group.live.length > 0)
      world.break(`the fleet is not at zero after all: desired ${group.desired}, ${group.live.join(', ')}`);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, resolve));
  }
}

/** A promise that tells whether it is over. */
function watched(promise: Promise<unknown>): { readonly over: boolean; readonly promise: Promise<unknown> } {
  const state = { over: false, promise };
  const note = (): void => {
    state.over = true;
  };
  promise.then(note, note);
  return state;
}
