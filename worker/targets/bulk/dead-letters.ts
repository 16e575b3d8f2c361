import type { DeadLetter } from '../../dead-letter.ts';
import type { KeyBytes } from '../../key/key-bytes.ts';
import { TaskFailure } from '../../task-failure.ts';
import { Batch } from '../batch.ts';
import { type DeliveryContext, deliver, type Destination } from './deliver.ts';
import { type RefusedItem, shortened } from './outcomes.ts';
import { keyAt, type Piece } from './piece.ts';

const CAPACITY_BYTES = 1024 * 1024;
const MAX_ITEMS = 1_000;

/** The key as a field. */
export interface KeyField {
  readonly name: string;
  readonly keys: KeyBytes;
}

/** Writes dead letters to the companion index: key, type, reason, and the fields that the definition allows. */
export class DeadLetterWriter {
  readonly #keyField: KeyField;
  readonly #destination: Destination;
  readonly #context: DeliveryContext;
  #batch: Batch | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(keyField: KeyField, destination: Destination, context: DeliveryContext) {
    this.#keyField = keyField;
    this.#destination = destination;
    this.#context = context;
  }

  /** Resolves when all of them stand in the companion index. One call at a time; later ones wait. */
  write(letters: readonly DeadLetter[]): Promise<void> {
    const written = this.#last.then(() => this.#writeAll(letters));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #writeAll(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    const batch = (this.#batch ??= new Batch(CAPACITY_BYTES, MAX_ITEMS, this.#keyField.keys));
    batch.reset();
    for (const letter of letters) {
      const lines = this.#linesOf(letter, batch.buffer.length);
      if (batch.full || batch.length + lines.length > batch.buffer.length) await this.#send(batch);
      append(batch, letter, lines);
    }
    await this.#send(batch);
  }

  async #send(batch: Batch): Promise<void> {
    await deliver(batch, this.#destination, this.#context, refuse);
    batch.reset();
  }

  /** Fields that would not fit are left out: the key and the reason are what counts. */
  #linesOf(letter: DeadLetter, roomBytes: number): Buffer {
    const lines = this.#encode(letter, letter.fields);
    return lines.length <= roomBytes ? lines : this.#encode(letter, null);
  }

  #encode({ key, type, reason }: DeadLetter, fields: string | null): Buffer {
    const { name, keys } = this.#keyField;
    const action = `{"index":{"_id":${JSON.stringify(keys.kind.documentId(key))}}}`;
    const about = `${JSON.stringify(name)}:${keys.kind.json(key)},"type":${JSON.stringify(shortened(type))}`;
    const said = `"reason":${JSON.stringify(shortened(reason))},"fields":${fields}`;
    return Buffer.from(`${action}\n{${about},${said}}\n`);
  }
}

function append(batch: Batch, { key }: DeadLetter, lines: Buffer): void {
  batch.offsets[batch.items] = batch.length;
  batch.keys.set(batch.items, key);
  batch.items++;
  lines.copy(batch.buffer, batch.length);
  batch.length += lines.length;
}

function refuse(item: RefusedItem, piece: Piece): never {
  throw new TaskFailure(
    'stop',
    'dead_letter_refused',
    `The dead letter of key ${keyAt(piece, item.position)} was refused by its index: ${item.type}: ${item.reason}. ` +
      'The row would be lost, so the task stops. Mend the index of dead letters, then run again.',
  );
}
