import type { ClientConfig } from 'pg';
import type { DescribedDefinition } from '../definition/definition.ts';
import type { Batch, DeadLetter } from './bulk/batch.ts';
import type { BulkWriter } from './bulk/writer.ts';
import { RowEncoder } from './document/row-encoder.ts';
import type { Position } from './source/position.ts';
import { type ReadLimits, type ReadRequest, readRange, type RowConsumer } from './source/read-range.ts';
import { DEFAULT_SESSION_LIMITS } from './source/session.ts';

export interface ReindexDependencies {
  readonly database: ClientConfig;
  /** Its batches must have room for `maxDocumentBytes` and an action line (`MAX_ACTION_LINE_BYTES`). */
  readonly writer: BulkWriter;
  readonly signal: AbortSignal;
  readonly limits?: Partial<ReadLimits>;
  /** Written while the task runs. */
  readonly live: ReadingState;
}

/** What can be seen of the reading at any time. Rows count as read when handed on, settled or not. */
export interface ReadingState {
  rowsRead: number;
  waitingFor: 'database' | null;
}

const DEFAULT_LIMITS: ReadLimits = { ...DEFAULT_SESSION_LIMITS, maxCopyStallMs: 60_000 };

/** A batch is sent though it is not full when so many rows or so much time went into it: progress is to move. */
const MAX_BATCH_ROWS = 50_000;
const MAX_BATCH_AGE_MS = 1_000;

/**
 * Reads a range, encodes its rows and hands them to the writer; resolves when all of them are settled.
 * Rejects with a TaskFailure, or with the signal's reason when that ended it.
 */
export async function reindex(request: ReadRequest, dependencies: ReindexDependencies): Promise<void> {
  const { position } = request;
  const { database, writer, signal, live } = dependencies;
  const limits = { ...DEFAULT_LIMITS, ...dependencies.limits };
  const batches = new Batching(writer, position);
  const clock = setInterval(() => {
    batches.closeIfOld();
    live.rowsRead = position.rows;
  }, MAX_BATCH_AGE_MS / 4);
  const onWaiting = (waiting: boolean): void => {
    live.waitingFor = waiting ? 'database' : null;
  };
  try {
    await readRange(request, batches, { database, limits, signal, onWaiting });
  } finally {
    clearInterval(clock);
    batches.close();
    live.rowsRead = position.rows;
  }
  await writer.finish(signal);
}

/** Fills batches with encoded rows and hands them on when they are full, or old. */
class Batching implements RowConsumer {
  readonly #writer: BulkWriter;
  readonly #position: Position;
  #encoder: RowEncoder | null = null;
  #batch: Batch | null = null;
  #openedMs = 0;

  constructor(writer: BulkWriter, position: Position) {
    this.#writer = writer;
    this.#position = position;
  }

  begin(described: DescribedDefinition): void {
    this.#encoder ??= new RowEncoder(described);
  }

  take(source: Buffer, start: number, end: number): boolean {
    const batch = this.#open();
    if (batch === null || this.#encoder === null) return false;
    if (this.#encoder.encode(source, start, end, batch)) return true;
    this.close();
    const next = this.#open();
    return next !== null && this.#encoder.encode(source, start, end, next);
  }

  bury(letter: DeadLetter): boolean {
    const batch = this.#open();
    if (batch === null) return false;
    batch.deadLetters.push(letter);
    batch.rowsRead++;
    return true;
  }

  async room(signal: AbortSignal): Promise<void> {
    this.#use(await this.#writer.acquire(signal));
  }

  closeIfOld(): void {
    if (this.#batch?.empty === false && performance.now() - this.#openedMs >= MAX_BATCH_AGE_MS) this.close();
  }

  /** Hands on, or back, what is in hand. */
  close(): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    batch.lastKey = this.#position.lastKey;
    this.#writer.submit(batch);
  }

  /** The batch that takes the next row; null when there is no room. */
  #open(): Batch | null {
    if (this.#batch !== null && (this.#batch.full || this.#batch.rowsRead >= MAX_BATCH_ROWS)) this.close();
    if (this.#batch === null) this.#use(this.#writer.tryAcquire());
    return this.#batch;
  }

  #use(batch: Batch | null): void {
    this.#batch = batch;
    this.#openedMs = performance.now();
  }
}
