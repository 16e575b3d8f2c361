import type { Claim } from '../../orchestrator/journal/claims.ts';
import { type JournalStore, type ListPart, partOf } from '../../orchestrator/journal/store.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { Fault } from './faults.ts';
import { childrenOf } from '../support/children-of.ts';
import { Violation } from './invariants.ts';

/** The faults of the journal, and the readers of what is written. */
export interface JournalWorld {
  nowMs(): number;
  strikes(fault: Fault, chance: number): boolean;
  /** Does something that may find a broken promise. */
  guarded(work: () => void): void;
}

/** Is told what the journal says. */
export interface JournalWatch {
  written(runFolder: string, events: readonly RunEvent[], epoch: number): void;
  /** A segment of a run's journal was deleted. */
  removed(runFolder: string): void;
  abandoned(run: string): void;
}

/** The journal store in virtual time. The accounts of the world read every new segment. */
export class VirtualJournal implements JournalStore {
  readonly location = 'the virtual journal';
  readonly objects = new Map<string, string>();
  /** Until this time writes fail. */
  brokenUntilMs = 0;
  readonly #world: JournalWorld;
  readonly #watch: JournalWatch;
  readonly #epochs = new Map<string, number>();

  constructor(world: JournalWorld, watch: JournalWatch) {
    this.#world = world;
    this.#watch = watch;
  }

  async create(name: string, body: string): Promise<'created' | 'exists'> {
    this.#requireWritable();
    if (this.objects.has(name)) return 'exists';
    this.objects.set(name, body);
    this.#world.guarded(() => this.#read(name, body));
    return this.#world.strikes('journal says conflict to the winner', 0.08) ? 'exists' : 'created';
  }

  async read(name: string): Promise<string | null> {
    return this.objects.get(name) ?? null;
  }

  async replace(name: string, body: string): Promise<void> {
    this.#requireWritable();
    this.objects.set(name, body);
  }

  async remove(name: string): Promise<void> {
    this.#requireWritable();
    this.#world.guarded(() => this.#requireRemovable(name));
    this.objects.delete(name);
    const folder = folderOf(name);
    if (folder !== null) this.#watch.removed(folder);
  }

  async list(folder: string, part?: ListPart): Promise<string[]> {
    return partOf(childrenOf(folder, this.objects.keys()), part);
  }

  /** Whether any object contains these words. */
  says(words: string): boolean {
    return this.objects.values().some((body) => body.includes(words));
  }

  #requireWritable(): void {
    if (this.#world.nowMs() < this.brokenUntilMs) throw new Error('ENOSPC: no space left on device');
  }

  #read(name: string, body: string): void {
    if (name.startsWith('claims/')) this.#readClaim(body);
    const folder = folderOf(name);
    if (folder === null) return;
    const { events, epoch } = JSON.parse(body) as { events: RunEvent[]; epoch: number };
    const seen = this.#epochs.get(folder) ?? 0;
    if (epoch < seen) throw new Violation(`epoch ${epoch} wrote ${name} behind epoch ${seen}`);
    this.#epochs.set(folder, epoch);
    this.#watch.written(folder, events, epoch);
  }

  #readClaim(body: string): void {
    const { run, ended } = JSON.parse(body) as Claim;
    if (ended === 'abandoned') this.#watch.abandoned(run);
  }

  /** Refuses to delete what is needed: the newest lock, the newest claim, and the journal of a claimed run. */
  #requireRemovable(name: string): void {
    const newest = (folder: string): string => this.#namesIn(folder).at(-1) ?? '';
    const claim = JSON.parse(this.objects.get(newest('claims')) ?? '{}') as Partial<Claim>;
    const isClaimed = claim.held === true && folderOf(name) === claim.folder;
    if (name === newest('locks') || name === newest('claims') || isClaimed)
      throw new Violation(`${name} was deleted, and is needed`);
  }

  #namesIn(folder: string): string[] {
    return [...this.objects.keys()].filter((name) => name.startsWith(`${folder}/`)).sort();
  }
}

/** The run's folder in which a segment lies; null when the object is no segment. */
function folderOf(name: string): string | null {
  return /^(.*)\/segments\//.exec(name)?.[1] ?? null;
}
