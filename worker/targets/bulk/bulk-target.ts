import type { UnusableChangedAt } from '../../../definition/definition.ts';
import type { KeyBytes } from '../../key/key-bytes.ts';
import type { DeadLetter } from '../../dead-letter.ts';
import type { Batch } from '../batch.ts';
import type { BatchShare } from '../batch-pool.ts';
import type { TargetCounts } from '../settlement.ts';
import type { InFlight } from '../in-flight.ts';
import type { Target } from '../target.ts';
import { BulkFraming } from './action-line.ts';
import { DeadLetterWriter } from './dead-letters.ts';
import { safeClusterWords, type WordsScope } from './cluster-words.ts';
import { type DeliveryContext, deliver, type Destination } from './deliver.ts';
import { DeliveryMeter } from './delivery-meter.ts';
import { membersNamed } from './document-members.ts';
import { Flow } from './flow.ts';
import { FlowGate } from './flow-gate.ts';
import { documentAt, keyAt } from './piece.ts';
import { type BulkClient, bulkPath } from './send.ts';

/** Growth of the bytes in flight per round trip. */
const FLOW_STEP_BYTES = 256 * 1024;
/** Bytes in flight below which nothing is gained by going slower: back-off does the rest. */
const FLOW_FLOOR_BYTES = 64 * 1024;
/** Batches in flight at the start. */
const START_BATCHES = 2;

/** Where documents and dead letters go. */
export interface BulkNames {
  readonly index: string;
  readonly write_alias: string;
  readonly dead_letter_alias: string;
}

export interface BulkTargetOptions {
  readonly client: BulkClient;
  readonly share: BatchShare;
  readonly names: BulkNames;
  /** Name of the key column, the key field of dead letters. */
  readonly keyColumn: string;
  readonly keys: KeyBytes;
  /** Names of the document's fields. */
  readonly fields: readonly string[];
  /** Fields of the document that may stand in its dead letter. */
  readonly keepFields: readonly string[];
  /** Whether action lines carry external versions. */
  readonly versioned: boolean;
  /** What becomes of a row whose `changed_at` cannot be a version. Absent: a dead letter. */
  readonly unusableChangedAt?: UnusableChangedAt;
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

/** An index of the search cluster, written through its alias with `_bulk`; it has its own flow control and companion. */
export class BulkTarget implements Target {
  readonly framing: BulkFraming;
  readonly share: BatchShare;
  readonly #words: WordsScope;
  readonly #meter = new DeliveryMeter();
  readonly #context: DeliveryContext;
  readonly #destination: Destination;
  readonly #deadLetters: DeadLetterWriter;

  constructor(options: BulkTargetOptions) {
    const { names, pipeline, versioned, keyColumn, keys } = options;
    this.framing = new BulkFraming(versioned, options.unusableChangedAt);
    this.share = options.share;
    this.#words = { fields: options.fields, keepFields: options.keepFields };
    this.#context = {
      client: options.client,
      gate: new FlowGate(new Flow(flowSettings(options)), options.now),
      meter: this.#meter,
      signal: options.signal,
      random: options.random,
    };
    this.#destination = {
      path: bulkPath(names.write_alias, pipeline),
      alias: names.write_alias,
      index: names.index,
      versioned,
    };
    const companion: Destination = {
      path: bulkPath(names.dead_letter_alias, null),
      alias: names.dead_letter_alias,
      index: null,
      versioned: false,
    };
    this.#deadLetters = new DeadLetterWriter({ name: keyColumn, keys }, companion, this.#context);
  }

  async deliver(batch: Batch): Promise<TargetCounts> {
    const { filtered } = batch;
    const letters: DeadLetter[] = [...batch.deadLetters];
    const delivered = await deliver(batch, this.#destination, this.#context, (item, piece) => {
      const { position, type } = item;
      const fields = membersNamed(documentAt(piece, position), this.#words.keepFields);
      const reason = safeClusterWords(item, this.#words);
      letters.push({ key: keyAt(piece, position), type, reason, fields });
    });
    await this.#deadLetters.write(letters);
    return { ...delivered, filtered, deadLetters: letters.length };
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

  get trouble(): string | null {
    return this.#meter.waiting ? this.#meter.trouble : null;
  }

  get inFlight(): InFlight {
    return this.#context.gate.inFlight;
  }
}

function flowSettings({ share, maxBytesInFlight, coolDownMs }: BulkTargetOptions) {
  return {
    startBytes: START_BATCHES * share.sendAtBytes,
    floorBytes: FLOW_FLOOR_BYTES,
    ceilingBytes: maxBytesInFlight,
    stepBytes: FLOW_STEP_BYTES,
    coolDownMs,
  };
}
