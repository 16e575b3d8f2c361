import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from 'pg';
import type { ChangesPlan, Phase } from './faults.ts';
import type { Service } from './services.ts';
import type { Story } from './story.ts';
import { changeTable } from './table.ts';

/** Changes a table while a run reads it, from the beginning of the reading to the moment that the plan names. */
export class LiveChanges {
  /** Key to the time at which its last change was committed, by this machine's clock. */
  readonly changedAt = new Map<string, number>();
  readonly #plan: ChangesPlan | null;
  readonly #seed: number;
  readonly #database: Service;
  readonly #story: Story;
  readonly #stop = new AbortController();
  #work: Promise<void> | null = null;

  constructor(plan: ChangesPlan | null, seed: number, database: Service, story: Story) {
    this.#plan = plan;
    this.#seed = seed;
    this.#database = database;
    this.#story = story;
  }

  phaseBegan(phase: Phase): void {
    if (this.#plan === null) return;
    if (phase === 'reindex' && this.#work === null) {
      this.#work = this.#changeOn(this.#plan);
      this.#work.catch(() => undefined); // `end` tells.
    }
    if (phase === this.#plan.endAt.phase)
      setTimeout(() => this.#stop.abort(), this.#plan.endAt.afterMs).unref();
  }

  /** Waits for the change that is under way. @throws when one was refused by the database */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #changeOn({ what, everyMs }: ChangesPlan): Promise<void> {
    const { signal } = this.#stop;
    this.#story.add(`the table begins to change: ${what}`);
    for (let salt = this.#seed; !signal.aborted; salt += 1) {
      const kind = what === 'both' ? (salt % 2 === 0 ? 'inserts' : 'deletions') : what;
      const keys = await changeTable(this.#database.url, kind, salt).catch(unlessDown);
      for (const key of keys) this.changedAt.set(key, Date.now());
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
    this.#story.add(`the table stands still, ${this.changedAt.size} keys have changed`);
  }
}

/** Nothing changes while the database is down. SQLSTATE classes 08 and 57: connection, operator intervention. */
function unlessDown(error: unknown): string[] {
  if (error instanceof DatabaseError && !/^(08|57)/.test(error.code ?? '')) throw error;
  return [];
}
