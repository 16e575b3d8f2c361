import { setTimeout as sleep } from 'node:timers/promises';
import { workersOf } from '../support/worker-pids.ts';
import { LiveChanges } from './changes.ts';
import { Commands, type GivenCommand } from './commands.ts';
import { compare, type Comparison } from './compare.ts';
import { faultOfExit } from './exits.ts';
import type { Phase, RunPlan } from './faults.ts';
import { Injector } from './injector.ts';
import type { Stage } from './stage.ts';
import type { Story } from './story.ts';
import { Victims } from './victims.ts';

/** This is more than the number of commands that a plan's faults can make fail. */
const MOST_COMMANDS = 60;
/** A worker whose orchestrator is gone ends within 2 s. A busy machine takes longer. */
const WORKERS_END_WITHIN_MS = 15_000;

export interface TrialOptions {
  readonly stage: Stage;
  readonly runKey: string;
  readonly plan: RunPlan;
  /** The seed of the table's changes. */
  readonly seed: number;
  readonly story: Story;
  /** Ends pauses and waits that are under way. */
  readonly signal: AbortSignal;
}

/** Plays one run through its faults, from its first command to the comparison. */
export class Trial {
  readonly commands: Commands;
  readonly injector: Injector;
  readonly #options: TrialOptions;
  readonly #victims: Victims;
  readonly #changes: LiveChanges;

  constructor(options: TrialOptions) {
    const { stage, runKey, plan, seed, story, signal } = options;
    this.#options = options;
    this.commands = new Commands({
      folder: stage.folder,
      name: runKey,
      args: ['run', '--settings', stage.settingsFile, '--run-key', runKey],
      story,
      onPhase: (phase) => this.#phaseBegan(phase),
    });
    this.#victims = new Victims({ ...stage, commands: this.commands, story, signal });
    this.injector = new Injector(plan.faults, this.#victims, story);
    this.#changes = new LiveChanges(plan.changes, seed, stage.database, story);
  }

  /** @throws Error when a command ends as it must not, never ends, or leaves workers behind */
  async play(): Promise<Comparison> {
    const done = await this.#runUntilDone();
    await this.injector.end();
    await this.#changes.end();
    await this.#untilAllEnded();
    await this.#victims.servicesBack();
    await this.#requireNoWorkers();
    return this.#compare(done);
  }

  /** Kills every process that is left. */
  async end(): Promise<void> {
    await Promise.all([this.commands.end(), this.injector.end()]);
    await this.#changes.end().catch(() => undefined); // `play` has reported it.
  }

  #phaseBegan(phase: Phase): void {
    this.injector.phaseBegan(phase);
    this.#changes.phaseBegan(phase);
  }

  /** Gives the command again until it succeeds, and returns the one that succeeded. */
  async #runUntilDone(): Promise<GivenCommand> {
    const { afterMs, twoAtOnce, waitsForServices } = this.#options.plan.again;
    for (let turn = 0; this.commands.given.length < MOST_COMMANDS; turn += 1) {
      this.commands.give(turn === 0 ? 'the first' : 'again');
      if (twoAtOnce[turn % twoAtOnce.length] === true) this.commands.give('twice at once');
      if (turn === 0) this.injector.phaseBegan('start');
      await this.#untilAllEnded();
      const done = this.commands.given.find(({ outcome }) => outcome?.code === 0);
      if (done !== undefined) return done;
      await sleep(afterMs[turn % afterMs.length] ?? 0, undefined, { signal: this.#options.signal });
      if (waitsForServices) await this.#victims.servicesBack();
    }
    throw new Error(`The command was given ${this.commands.given.length} times and has not succeeded.`);
  }

  /** Waits for all commands, also those that are given meanwhile. @throws at the first that ended as it must not */
  async #untilAllEnded(): Promise<void> {
    while (this.commands.running.length > 0) await this.commands.anyEnds(this.#options.signal);
    const circumstances = {
      commands: this.commands.given,
      troubles: this.#victims.troubles,
      tableChanges: this.#changes.changedAt.size > 0,
    };
    const faults = this.commands.given.flatMap((command) => faultOfExit(command, circumstances) ?? []);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }

  async #requireNoWorkers(): Promise<void> {
    const deadlineMs = performance.now() + WORKERS_END_WITHIN_MS;
    for (;;) {
      const pids = await workersOf(this.#options.stage.definitionFile);
      if (pids.length === 0) return;
      if (performance.now() > deadlineMs)
        throw new Error(`All commands have ended, and their workers ${pids.join(', ')} live on.`);
      await sleep(100);
    }
  }

  async #compare(done: GivenCommand): Promise<Comparison> {
    const { database, search, journal } = this.#options.stage;
    const provenFrom = Math.max(...this.commands.given.map(({ validatedFrom }) => validatedFrom ?? 0));
    const late = [...this.#changes.changedAt].flatMap(([key, atMs]) => (atMs >= provenFrom ? [key] : []));
    const comparison = await compare({
      databaseUrl: database.url,
      searchUrl: search.url,
      journal,
      runKey: this.#options.runKey,
      result: done.outcome?.result ?? {},
      unprovable: new Set(late),
      changed: this.#changes.changedAt.size > 0,
    });
    const except =
      late.length === 0 ? '' : `, but for ${late.length} keys that changed after the proof began`;
    this.#options.story.add(
      `${comparison.documents} documents are compared with the table${except}: ${comparison.differing} differ`,
    );
    return comparison;
  }
}
