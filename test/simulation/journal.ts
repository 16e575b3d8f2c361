import { numberedName } from '../../orchestrator/journal/numbered.ts';
import { type JournalStore, type ListPart, partOf } from '../../orchestrator/journal/store.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { Fault } from './faults.ts';
import { childrenOf } from '../support/children-of.ts';
import { Violation } from './invariants.ts';

/** What may befall the journal, and who reads what is written. */
export interface JournalWorld {
  nowMs(): number;
  strikes(fault: Fault, chance: number): boolean;
  /** Does what may find a broken promise. */
  guarded(work: () => void): void;
}

/** The journal store in virtual time; every segment that comes into being is read by the accounts of the world. */
export class VirtualJournal implements JournalStore {
  readonly location = 'the virtual journal';
  readonly objects = new Map<string, string>();
  /** Writes fail before this. */
  brokenUntilMs = 0;
  readonly #world: JournalWorld;
  readonly #onEvents: (runFolder: string, events: readonly RunEvent[]) => void;
  readonly #epochs = new Map<string, number>();
  /** When each object came into being. */
  readonly #createdMs = new Map<string, number>();

  constructor(world: JournalWorld, onEvents: (runFolder: string, events: readonly RunEvent[]) => void) {
    this.#world = world;
    this.#onEvents = onEvents;
  }

  async create(name: string, body: string): Promise<'created' | 'exists'> {
    this.#requireWritable();
    if (this.objects.has(name)) return 'exists';
    this.objects.set(name, body);
    this.#createdMs.set(name, this.#world.nowMs());
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
    this.objects.delete(name);
  }

  async list(folder: string, part?: ListPart): Promise<string[]> {
    return partOf(childrenOf(folder, this.objects.keys()), part);
  }

  /** Whether any object holds these words. */
  says(words: string): boolean {
    return this.objects.values().some((body) => body.includes(words));
  }

  /** When an epoch took the lock; null: it has not. */
  lockTakenMs(epoch: number): number | null {
    return this.#createdMs.get(numberedName('locks', epoch)) ?? null;
  }

  #requireWritable(): void {
    if (this.#world.nowMs() < this.brokenUntilMs) throw new Error('ENOSPC: no space left on device');
  }

  #read(name: string, body: string): void {
    const [, folder = ''] = /^(.*)\/segments\//.exec(name) ?? [];
    if (folder === '') return;
    const { events, epoch } = JSON.parse(body) as { events: RunEvent[]; epoch: number };
    const seen = this.#epochs.get(folder) ?? 0;
    if (epoch < seen) throw new Violation(`epoch ${epoch} wrote ${name} behind epoch ${seen}`);
    this.#epochs.set(folder, epoch);
    this.#onEvents(folder, events);
  }
}
