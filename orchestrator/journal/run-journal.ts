import { randomUUID } from 'node:crypto';
import { messageOf, Superseded } from '../errors.ts';
import type { RunEvent } from '../reconcile/events.ts';
import { applyEvents, applyTo, editableCopy } from '../reconcile/fold-events.ts';
import type { RunPlan } from '../reconcile/run-plan.ts';
import { emptyState, type RunState } from '../reconcile/state.ts';
import { EarlierEvents, presentPlan } from './earlier-versions.ts';
import { highestNumber, numberedName } from './numbered.ts';
import { readTogether } from './read-together.ts';
import {
  isPresent,
  JOURNAL_SCHEMA,
  parseSegment,
  type PresentSegment,
  readSegment,
  type Segment,
  segmentText,
} from './segment.ts';
import { packState, type Snapshot, unpackState } from './snapshot.ts';
import type { JournalStore } from './store.ts';
import { unreadableObject } from './store-failure.ts';

/**
 * A snapshot is written when the segments since the last one hold this many bytes, or twice the last one's size if that
 * is more. So opening a journal reads little, however long the run was. And all snapshots together stay below half of
 * all that is written.
 */
const SNAPSHOT_AFTER_BYTES = 64 * 1024;

interface NextSegment {
  readonly number: number;
  readonly events: readonly RunEvent[];
  /** The state after these events. */
  readonly next: RunState;
  readonly planSegment: number;
}

export interface JournalOptions {
  /** The store, which says for certain who created a name (`certain-store.ts`). */
  readonly store: JournalStore;
  readonly runFolder: string;
  /** The epoch of the lock's holder, who writes. */
  readonly epoch: number;
  /** Throws when the lock is lost. Then nothing may be written. */
  readonly requireHeld: () => void;
  readonly now: () => Date;
}

/**
 * One run's journal. It consists of numbered segments of events, and each is created only if its number is free. A
 * process that loses a number to another process is superseded and stops at once. So no two processes ever carry on one
 * run together.
 */
export class RunJournal {
  readonly #options: JournalOptions;
  readonly #folder: string;
  #number: number;
  #state: RunState;
  #planSegment: number;
  #writtenAt: Date | null;
  #bytesSinceSnapshot = 0;
  #snapshotBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  /** The error after which nothing more can be written. After a failed write nobody knows what its number holds. */
  #broken: { readonly error: unknown } | null = null;

  private constructor(options: JournalOptions, read: ReadRun) {
    this.#options = options;
    this.#folder = segmentFolder(options.runFolder);
    this.#number = read.number;
    this.#state = read.state;
    this.#planSegment = read.planSegment;
    this.#writtenAt = read.writtenAt;
  }

  /** Reads a run's journal and opens it for writing under an epoch. */
  static async open(options: JournalOptions): Promise<RunJournal> {
    return new RunJournal(options, await readRun(options.store, options.runFolder));
  }

  get state(): RunState {
    return this.#state;
  }

  /** The folder that the run's claim names. */
  get folder(): string {
    return this.#options.runFolder;
  }

  /** When the last segment was written, by its writer's clock. Null when there is none. */
  get writtenAt(): Date | null {
    return this.#writtenAt;
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
      await this.#create({ number, events, next, planSegment });
    } catch (error) {
      this.#broken = { error };
      throw error;
    }
    this.#number = number;
    this.#state = next;
    this.#planSegment = planSegment;
  }

  async #create({ number, events, next, planSegment }: NextSegment): Promise<void> {
    const { store, epoch, now } = this.#options;
    const at = now();
    const head = { schema: JOURNAL_SCHEMA, epoch, nonce: randomUUID(), at: at.toISOString() } as const;
    const written = JSON.stringify(events);
    const due =
      this.#bytesSinceSnapshot + written.length > Math.max(SNAPSHOT_AFTER_BYTES, 2 * this.#snapshotBytes);
    const snapshot = due ? packState(next, planSegment) : undefined;
    const segment: PresentSegment = {
      ...head,
      events: [...events],
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    const body = segmentText(segment);
    const name = numberedName(this.#folder, number);
    if ((await store.create(name, body)) !== 'created') throw await this.#superseded(name);
    this.#writtenAt = at;
    this.#bytesSinceSnapshot = due ? 0 : this.#bytesSinceSnapshot + body.length;
    if (due) this.#snapshotBytes = body.length - written.length;
  }

  async #superseded(name: string): Promise<Superseded> {
    const { store, epoch } = this.#options;
    const there = await readSegment(store, name);
    return new Superseded(
      `another process (epoch ${there?.epoch ?? 'unknown'}) has written ${name} in ${store.location}, so this one (epoch ${epoch}) stops`,
    );
  }
}

export interface ReadRun {
  readonly number: number;
  readonly state: RunState;
  /** The number of the segment that holds the plan. 0 when there is none. */
  readonly planSegment: number;
  /** When its last segment was written, by the writer's clock. Null when there is none. */
  readonly writtenAt: Date | null;
}

/**
 * Reads the state of a run from its journal. It writes nothing.
 *
 * @throws RunFailed when a part is missing, is damaged, or was written by a newer version
 */
export async function readRun(store: JournalStore, runFolder: string): Promise<ReadRun> {
  const folder = segmentFolder(runFolder);
  const number = await highestNumber(store, folder);
  const segments: NamedSegment[] = [];
  let snapshot: Snapshot | null = null;
  let writtenAt: Date | null = null;
  for await (const named of readBackwards(store, folder, number)) {
    writtenAt ??= new Date(named.segment.at);
    snapshot = snapshotOf(named.segment);
    if (snapshot !== null) break;
    segments.push(named);
  }
  const planned = segments.findIndex(({ segment }) => planOf(segment) !== null);
  const base = snapshot === null ? emptyState() : await unpacked(store, folder, snapshot);
  return {
    number,
    state: stateBehind(store, base, segments.toReversed()),
    planSegment: planned === -1 ? (snapshot?.planSegment ?? 0) : number - planned,
    writtenAt,
  };
}

/** A segment's snapshot. A snapshot of an earlier version is not read, because all its events are there. */
function snapshotOf(segment: Segment): Snapshot | null {
  return isPresent(segment) ? (segment.snapshot ?? null) : null;
}

async function unpacked(store: JournalStore, folder: string, snapshot: Snapshot): Promise<RunState> {
  if (snapshot.planSegment === 0) return unpackState(snapshot, null);
  const name = numberedName(folder, snapshot.planSegment);
  const segment = await readSegment(store, name);
  if (segment === null) throw unreadableObject(store.location, name, 'has vanished');
  const plan = planOf(segment);
  if (plan === null)
    throw unreadableObject(store.location, name, 'has no plan, but a later segment says that it has');
  return unpackState(snapshot, plan);
}

interface NamedSegment {
  readonly name: string;
  readonly segment: Segment;
}

/**
 * The state that segments lead to from `base`, the oldest first. If the oldest is of an earlier version, all segments
 * are needed.
 *
 * @throws RunFailed that names the segment whose events do not follow from those before
 */
function stateBehind(
  { location }: Pick<JournalStore, 'location'>,
  base: RunState,
  segments: readonly NamedSegment[],
): RunState {
  const earlier = new EarlierEvents();
  const state = editableCopy(base);
  for (const { name, segment } of segments) {
    try {
      const events = isPresent(segment) ? segment.events : earlier.present(segment.events);
      for (const event of events) applyTo(state, event);
    } catch (error) {
      throw unreadableObject(
        location,
        name,
        `does not follow from the segments before it: ${messageOf(error)}`,
      );
    }
  }
  return state;
}

function planOf(segment: Segment): RunPlan | null {
  const event = isPresent(segment)
    ? segment.events.find((candidate) => candidate.type === 'planned')
    : segment.events.filter((candidate) => candidate.type === 'planned').map(presentPlan)[0];
  if (event === undefined) return null;
  const { type: _, ...plan } = event;
  return plan;
}

/**
 * Reads all segments, newest first. If one is missing, nobody can know that part of the run. Segments behind a snapshot
 * are not needed, and are not read.
 */
async function* readBackwards(
  store: JournalStore,
  folder: string,
  newest: number,
): AsyncGenerator<NamedSegment> {
  const names = Array.from({ length: newest }, (_, i) => numberedName(folder, newest - i));
  let later = 'one behind it';
  for await (const { name, body } of readTogether(store, names)) {
    if (body === null) throw unreadableObject(store.location, name, `is not there, though ${later} is`);
    yield { name, segment: parseSegment(store, name, body) };
    later = name;
  }
}

/**
 * Deletes a run's journal from its beginning. So a deletion that was cut off is never taken for a shorter journal.
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

/** Whether the deletion of the journal was begun and cut off. */
export async function isHalfRemoved(store: JournalStore, runFolder: string): Promise<boolean> {
  const folder = segmentFolder(runFolder);
  const [first] = await store.list(folder, { limit: 1 });
  return first !== undefined && first !== numberedName(folder, 1);
}

function segmentFolder(runFolder: string): string {
  return `${runFolder}/segments`;
}
