import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Superseded } from '../errors.ts';
import type { RunEvent } from '../reconcile/events.ts';
import { applyEvents, emptyState, type RunState } from '../reconcile/state.ts';
import { highestNumber, numberedName } from './numbered.ts';
import { readTogether } from './read-together.ts';
import { packState, type Snapshot, unpackState } from './snapshot.ts';
import type { JournalStore } from './store.ts';
import { parseObject, unreadableObject } from './store-failure.ts';

/** Raised when a journal can no longer be read by what wrote the one before. */
const JOURNAL_SCHEMA = 3;
/** Had no instances in its snapshots; is still read, or an upgrade would lose what a rollback needs. */
const EARLIER_SCHEMA = 2;

/**
 * A snapshot is written when the segments since the last one hold this many bytes, or twice its own size if that is
 * more: so opening a journal reads little however long the run was, and all snapshots together stay below half of all
 * that is written.
 */
const SNAPSHOT_AFTER_BYTES = 64 * 1024;

const segmentSchema = z.object({
  schema: z.literal([EARLIER_SCHEMA, JOURNAL_SCHEMA]),
  epoch: z.int(),
  nonce: z.string(),
  at: z.iso.datetime(),
  events: z.array(z.custom<RunEvent>()),
  snapshot: z.custom<Snapshot>().optional(),
});
type Segment = z.infer<typeof segmentSchema>;

export interface JournalOptions {
  /** Says for certain who created a name (`certain-store.ts`). */
  readonly store: JournalStore;
  readonly runFolder: string;
  /** Which holder of the lock writes. */
  readonly epoch: number;
  /** Throws when the lock is lost: nothing may be written then. */
  readonly requireHeld: () => void;
  readonly now: () => Date;
}

/**
 * One run's journal: numbered segments of events, each created only if its number is free. A process that loses a
 * number to another has been superseded and stops at once; so no two processes ever carry one run on together.
 */
export class RunJournal {
  readonly #options: JournalOptions;
  readonly #folder: string;
  #number: number;
  #state: RunState;
  #planSegment: number;
  #bytesSinceSnapshot = 0;
  #snapshotBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  /** Why it can be written no more: after a write that failed nobody knows what stands under its number. */
  #broken: { readonly error: unknown } | null = null;

  private constructor(options: JournalOptions, read: ReadRun) {
    this.#options = options;
    this.#folder = segmentFolder(options.runFolder);
    this.#number = read.number;
    this.#state = read.state;
    this.#planSegment = read.planSegment;
  }

  /** Opens a run's journal for writing under an epoch; what is there is read first. */
  static async open(options: JournalOptions): Promise<RunJournal> {
    return new RunJournal(options, await readRun(options.store, options.runFolder));
  }

  get state(): RunState {
    return this.#state;
  }

  /** Appends events durably, then applies them. Calls are carried out one after the other. */
  append(events: readonly RunEvent[]): Promise<void> {
    const turn = this.#tail.then(() => this.#write(events));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  async #write(events: readonly RunEvent[]): Promise<void> {
    if (events.length === 0) return;
    if (this.#broken !== null) throw this.#broken.error;
    this.#options.requireHeld();
    const number = this.#number + 1;
    const next = applyEvents(this.#state, events);
    const planSegment = events.some(({ type }) => type === 'planned') ? number : this.#planSegment;
    try {
      await this.#create(number, events, next, planSegment);
    } catch (error) {
      this.#broken = { error };
      throw error;
    }
    this.#number = number;
    this.#state = next;
    this.#planSegment = planSegment;
  }

  async #create(
    number: number,
    events: readonly RunEvent[],
    next: RunState,
    planSegment: number,
  ): Promise<void> {
    const { store, epoch, now } = this.#options;
    const head = { schema: JOURNAL_SCHEMA, epoch, nonce: randomUUID(), at: now().toISOString() } as const;
    const written = JSON.stringify(events);
    const due =
      this.#bytesSinceSnapshot + written.length > Math.max(SNAPSHOT_AFTER_BYTES, 2 * this.#snapshotBytes);
    const snapshot = due ? packState(next, planSegment) : undefined;
    const segment: Segment = {
      ...head,
      events: [...events],
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    const body = JSON.stringify(segment);
    const name = numberedName(this.#folder, number);
    if ((await store.create(name, body)) !== 'created') throw await this.#superseded(name);
    this.#bytesSinceSnapshot = due ? 0 : this.#bytesSinceSnapshot + body.length;
    if (due) this.#snapshotBytes = body.length - written.length;
  }

  async #superseded(name: string): Promise<Superseded> {
    const { store, epoch } = this.#options;
    const there = await readSegment(store, name);
    return new Superseded(
      `another process (epoch ${there?.epoch ?? 'unknown'}) has written ${name} in ${store.location}; this one (epoch ${epoch}) stops`,
    );
  }
}

export interface ReadRun {
  readonly number: number;
  readonly state: RunState;
  /** Number of the segment that holds the plan; 0: there is none. */
  readonly planSegment: number;
  /** When its last segment was written, by the clock of who wrote it; null: there is none. */
  readonly writtenAt: Date | null;
}

/** The state of a run as its journal tells it, for any reader; nothing is written. */
export async function readRun(store: JournalStore, runFolder: string): Promise<ReadRun> {
  const folder = segmentFolder(runFolder);
  const number = await highestNumber(store, folder);
  const segments: Segment[] = [];
  let snapshot: Snapshot | undefined;
  let writtenAt: Date | null = null;
  for await (const segment of readBackwards(store, folder, number)) {
    writtenAt ??= new Date(segment.at);
    snapshot = segment.snapshot;
    if (snapshot !== undefined) break;
    segments.push(segment);
  }
  const planNumber = snapshot?.planSegment ?? 0;
  const plan =
    planNumber === 0 ? null : planOf((await requireSegment(store, numberedName(folder, planNumber))).events);
  const base = snapshot === undefined ? emptyState() : unpackState(snapshot, plan);
  const events = segments.toReversed().flatMap((segment) => segment.events);
  const planned = segments.findIndex((segment) => planOf(segment.events) !== null);
  return {
    number,
    state: applyEvents(base, events),
    planSegment: planned === -1 ? planNumber : number - planned,
    writtenAt,
  };
}

/**
 * All segments, newest first. One that is missing, by an accident or a hand, would be a part of the story that nobody
 * tells; what lies behind a snapshot is told by that, and is not asked for.
 */
async function* readBackwards(store: JournalStore, folder: string, newest: number): AsyncGenerator<Segment> {
  const names = Array.from({ length: newest }, (_, i) => numberedName(folder, newest - i));
  let later = 'one behind it';
  for await (const { name, body } of readTogether(store, names)) {
    if (body === null) throw unreadableObject(store.location, name, `is not there, though ${later} is`);
    yield parseSegment(store, name, body);
    later = name;
  }
}

/**
 * Deletes a run's journal, from its beginning: one that was cut off in between is never taken for a shorter one.
 *
 * @param requireHeld throws when the lock is lost
 */
export async function removeRun(
  store: JournalStore,
  runFolder: string,
  requireHeld: () => void,
): Promise<void> {
  for (const name of await store.list(segmentFolder(runFolder))) {
    requireHeld();
    await store.remove(name);
  }
}

/** Its deletion was begun and cut off. */
export async function isHalfRemoved(store: JournalStore, runFolder: string): Promise<boolean> {
  const folder = segmentFolder(runFolder);
  const [first] = await store.list(folder, { limit: 1 });
  return first !== undefined && first !== numberedName(folder, 1);
}

function planOf(events: readonly RunEvent[]) {
  const event = events.find((candidate) => candidate.type === 'planned');
  return event === undefined ? null : { keyKind: event.keyKind, ranges: event.ranges, bounds: event.bounds };
}

function segmentFolder(runFolder: string): string {
  return `${runFolder}/segments`;
}

async function requireSegment(store: JournalStore, name: string): Promise<Segment> {
  const segment = await readSegment(store, name);
  if (segment === null) throw unreadableObject(store.location, name, 'has vanished');
  return segment;
}

async function readSegment(store: JournalStore, name: string): Promise<Segment | null> {
  const body = await store.read(name);
  return body === null ? null : parseSegment(store, name, body);
}

function parseSegment(store: JournalStore, name: string, body: string): Segment {
  return parseObject(segmentSchema, { location: store.location, name, kind: 'journal segment' }, body);
}
