import type { TaskTarget } from '../contract.ts';
import type { TaskFailure } from '../task-failure.ts';
import type { Batch, DeadLetter } from './batch.ts';
import type { BatchPool } from './batch-pool.ts';
import { DeadLetterWriter } from './dead-letters.ts';
import { type DeliveryContext, DeliveryMeter, deliver, type Destination } from './deliver.ts';
import { Flow } from './flow.ts';
import { FlowGate } from './flow-gate.ts';
import { keptFields } from './kept-fields.ts';
import { documentAt, keyAt } from './piece.ts';
import { type BulkClient, bulkPath } from './send.ts';
import { Settlement, type Stretch } from './settlement.ts';
import type { BulkWriter, SettledCounts } from './writer.ts';

/** Growth of the bytes in flight per round trip. */
const FLOW_STEP_BYTES = 256 * 1024;
/** Bytes in flight below which nothing is gained by going slower: back-off does the rest. */
const FLOW_FLOOR_BYTES = 64 * 1024;
/** Batches in flight at the start. */
const START_BATCHES = 2;

export interface ClusterWriterOptions {
  readonly client: BulkClient;
  readonly pool: BatchPool;
  readonly target: TaskTarget;
  /** Name of the key column, the key field of dead letters. */
  readonly keyColumn: string;
  /** Fields of the document that may stand in its dead letter. */
  readonly keepFields: readonly string[];
  /** Whether action lines carry external versions. */
  readonly versioned: boolean;
  readonly pipeline: string | null;
  readonly maxBytesInFlight: number;
  /** For how long the bytes of a timed-out request count as in flight. */
  readonly coolDownMs: number;
  /** Ends all waiting and sending at once. */
  readonly signal: AbortSignal;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/** The task's way to the search cluster: hands out batches, delivers them side by side, and settles them in order. */
export class ClusterWriter implements BulkWriter {
  readonly #options: ClusterWriterOptions;
  readonly #settlement = new Settlement();
  readonly #meter = new DeliveryMeter();
  readonly #end = new AbortController();
  readonly #context: DeliveryContext;
  readonly #target: Destination;
  readonly #deadLetters: DeadLetterWriter;
  readonly #deliveries = new Set<Promise<void>>();
  #failure: unknown = null;
  #firstKey: bigint | null = null;

  constructor(options: ClusterWriterOptions) {
    const { target, pipeline, versioned } = options;
    this.#options = options;
    this.#context = {
      client: options.client,
      gate: new FlowGate(new Flow(flowSettings(options)), options.now),
      meter: this.#meter,
      signal: AbortSignal.any([options.signal, this.#end.signal]),
      random: options.random,
    };
    this.#target = {
      path: bulkPath(target.write_alias, pipeline),
      alias: target.write_alias,
      index: target.index,
      versioned,
    };
    const companion: Destination = {
      path: bulkPath(target.dead_letter_alias, null),
      alias: target.dead_letter_alias,
      index: null,
      versioned: false,
    };
    this.#deadLetters = new DeadLetterWriter(options.keyColumn, companion, this.#context);
  }

  async acquire(signal: AbortSignal): Promise<Batch> {
    this.#throwIfFailed();
    try {
      return await this.#options.pool.wait(this.#context.signal, signal);
    } catch (error) {
      this.#throwIfFailed();
      throw error;
    }
  }

  tryAcquire(): Batch | null {
    this.#throwIfFailed();
    return this.#options.pool.take();
  }

  submit(batch: Batch): void {
    if (batch.empty) return this.#options.pool.give(batch);
    this.#firstKey ??= batch.items > 0 ? (batch.keys[0] ?? null) : batch.lastKey;
    const delivery: Promise<void> = this.#settle(batch)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }

  async finish(signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#fail(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    await Promise.all(this.#deliveries);
    signal.removeEventListener('abort', giveUp);
    this.#throwIfFailed();
  }

  /** Ends what is under way; resolves when no batch of the task is in use any more. */
  async abandon(reason: unknown): Promise<void> {
    this.#fail(reason);
    await Promise.all(this.#deliveries);
  }

  /** Aborted as soon as the task cannot be completed, with the reason. */
  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get settledThrough(): bigint | null {
    return this.#settlement.settledThrough;
  }

  /** A key at or near the first row, from which progress is measured where the range has no start. */
  get firstKey(): bigint | null {
    return this.#firstKey;
  }

  get counts(): Readonly<SettledCounts> {
    return this.#settlement.counts;
  }

  get bytesSent(): number {
    return this.#meter.bytesSent;
  }

  get retries(): number {
    return this.#meter.retries;
  }

  get waiting(): boolean {
    return this.#meter.waiting;
  }

  async #settle(batch: Batch): Promise<void> {
    let stretch: Stretch;
    const letters: DeadLetter[] = [...batch.deadLetters];
    try {
      stretch = this.#settlement.enter(batch);
      const delivered = await deliver(
        batch,
        this.#target,
        this.#context,
        ({ position, type, reason }, piece) => {
          const fields = keptFields(documentAt(piece, position), this.#options.keepFields);
          letters.push({ key: keyAt(piece, position), type, reason, fields });
        },
      );
      await this.#deadLetters.write(letters);
      this.#settlement.settle(stretch, { ...delivered, deadLetters: letters.length });
    } finally {
      this.#options.pool.give(batch);
    }
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#end.abort(reason);
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure as TaskFailure;
    this.#options.signal.throwIfAborted();
  }
}

function flowSettings({ pool, maxBytesInFlight, coolDownMs }: ClusterWriterOptions) {
  return {
    startBytes: START_BATCHES * pool.capacityBytes,
    floorBytes: FLOW_FLOOR_BYTES,
    ceilingBytes: maxBytesInFlight,
    stepBytes: FLOW_STEP_BYTES,
    coolDownMs,
  };
}
