import type { Fault, Phase } from './faults.ts';
import type { Story } from './story.ts';
import type { Victims } from './victims.ts';

/** Carries out the faults of a run, each at its moment, and counts them. */
export class Injector {
  /** Names such as `kill worker`, one for each fault that happened. */
  readonly done: string[] = [];
  readonly #waiting: Set<Fault>;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #victims: Victims;
  readonly #story: Story;

  constructor(faults: readonly Fault[], victims: Victims, story: Story) {
    this.#waiting = new Set(faults);
    this.#victims = victims;
    this.#story = story;
  }

  /** Is told that any command of the run has begun this phase. */
  phaseBegan(phase: Phase): void {
    for (const fault of this.#waiting) {
      if (fault.moment.phase !== phase) continue;
      this.#waiting.delete(fault);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#begin(fault);
      }, fault.moment.afterMs);
      this.#timers.add(timer);
    }
  }

  /** Begins no more faults, and waits for those under way. */
  async end(): Promise<void> {
    this.#waiting.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#underWay);
  }

  #begin(fault: Fault): void {
    const done = this.#carryOut(fault).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #carryOut(fault: Fault): Promise<void> {
    const name = nameOf(fault);
    try {
      if (await this.#victims.suffer(fault)) this.done.push(name);
      else this.#story.add(`${name}: there is none now`);
    } catch (error) {
      this.#story.add(`${name} did not work out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function nameOf(fault: Fault): string {
  return fault.kind === 'cut' ? `cut ${fault.how} ${fault.victim}` : `${fault.kind} ${fault.victim}`;
}
