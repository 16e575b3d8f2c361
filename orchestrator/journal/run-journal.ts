import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Superseded } from '../errors.ts';
import type { RunEvent } from '../reconcile/events.ts';
import { applyEvent, emptyState, type RunState } from '../reconcile/state.ts';
import { numberedName, numberOf } from './numbered.ts';
import type { JournalStore } from './store.ts';

const JOURNAL_SCHEMA = 1;

/** A full state is written this often, so that opening a journal reads few segments however long the run was. */
const SEGMENTS_PER_SNAPSHOT = 200;

const segmentSchema = z.object({
  schema: z.literal(JOURNAL_SCHEMA),
  epoch: z.int(),
  nonce: z.string(),
  at: z.iso.datetime(),
  events: z.array(z.custom<RunEvent>()),
  snapshot: z.custom<RunState>().optional(),
});
type Segment = z.infer<typeof segmentSchema>;

export interface JournalOptions {
  readonly store: JournalStore;
  readonly runFolder: string;
  /** Which holder of the lock writes. */
  readonly epoch: number;
  /** Aborted when the lock is lost: nothing may be written then. */
  readonly lost: AbortSignal;
  readonly now: () => Date;
}

/**
 * One run's journal: numbered segments of events, each created only if its number is free. A process that loses a
 * number to another has been superseded and stops at once; so no two processes ever carry one run on together.
 */
export class RunJournal {
  readonly #store: JournalStore;
  readonly #folder: string;
  readonly #epoch: number;
  readonly #lost: AbortSignal;
  readonly #now: () => Date;
  #number: number;
  #state: RunState;
  #tail: Promise<void> = Promise.resolve();

  private constructor(options: JournalOptions, number: number, state: RunState) {
    this.#store = options.store;
    this.#folder = segmentFolder(options.runFolder);
    this.#epoch = options.epoch;
    this.#lost = options.lost;
    this.#now = options.now;
    this.#number = number;
    this.#state = state;
  }

  /** Opens a run's journal for writing under an epoch; what is there is read first. */
  static async open(options: JournalOptions): Promise<RunJournal> {
    const { number, state } = await readRun(options.store, options.runFolder);
    return new RunJournal(options, number, state);
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
    this.#lost.throwIfAborted();
    const number = this.#number + 1;
    const next = events.reduce(applyEvent, this.#state);
    const segment: Segment = {
      schema: JOURNAL_SCHEMA,
      epoch: this.#epoch,
      nonce: randomUUID(),
      at: this.#now().toISOString(),
      events: [...events],
      ...(number % SEGMENTS_PER_SNAPSHOT === 0 ? { snapshot: next } : {}),
    };
    await this.#create(number, segment);
    this.#number = number;
    this.#state = next;
  }

  /** After a refusal our own write is read back: an answer may get lost while the write took effect. */
  async #create(number: number, segment: Segment): Promise<void> {
    const name = numberedName(this.#folder, number);
    if ((await this.#store.create(name, JSON.stringify(segment))) === 'created') return;
    const there = await readSegment(this.#store, name);
    if (there?.nonce === segment.nonce) return;
    throw new Superseded(
      `another process (epoch ${there?.epoch ?? 'unknown'}) has written ${name} in ${this.#store.location}; this one (epoch ${this.#epoch}) stops`,
    );
  }
}

/** The state of a run as its journal tells it, for any reader; nothing is written. */
export async function readRun(
  store: JournalStore,
  runFolder: string,
): Promise<{ number: number; state: RunState }> {
  const names = await store.list(segmentFolder(runFolder));
  const segments: Segment[] = [];
  for (const name of names.toReversed()) {
    const segment = await readSegment(store, name);
    if (segment === null) throw new Error(`${name} vanished from the journal in ${store.location}`);
    segments.push(segment);
    if (segment.snapshot !== undefined) break;
  }
  const oldest = segments.at(-1);
  const base = oldest?.snapshot ?? emptyState();
  const rest = oldest?.snapshot === undefined ? segments : segments.slice(0, -1);
  const state = rest
    .toReversed()
    .flatMap((segment) => segment.events)
    .reduce(applyEvent, base);
  const last = names.at(-1);
  return { number: last === undefined ? 0 : numberOf(last), state };
}

function segmentFolder(runFolder: string): string {
  return `${runFolder}/segments`;
}

async function readSegment(store: JournalStore, name: string): Promise<Segment | null> {
  const body = await store.read(name);
  if (body === null) return null;
  const parsed = segmentSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    throw new Error(
      `${name} in ${store.location} is no journal segment of schema ${JOURNAL_SCHEMA}: ${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
