import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Batch } from '../bulk/batch.ts';
import { TaskFailure } from '../task-failure.ts';
import { MAX_ACTION_LINE_BYTES, unusableVersion, writeAction, writeVersionedAction } from './action-line.ts';
import { joinInt8, readInt4, readUint4, writeInt8 } from './bytes.ts';
import { Int64Cell } from './int64-cell.ts';
import { keptFieldsEncoder } from './kept-fields.ts';
import { UNREPRESENTABLE, type ValueWriter, writeNull } from './value-writer.ts';
import { valueWriter } from './value-writers.ts';

interface Column {
  readonly name: string;
  /** `,"name":` */
  readonly prefix: Uint8Array;
  readonly write: ValueWriter;
}

/** Before the key stand the number of columns and the key's length. */
const KEY_OFFSET_BYTES = 6;
const KEY_BYTES = 8;
const LENGTH_BYTES = 4;
/** The boolean of `where`, with its length. */
const KEPT_BYTES = 5;

/** No value grows more than this when it becomes JSON: a control character becomes six. Vast numbers do, see bytes.ts. */
const MOST_GROWTH = 6;
/** The action line, the key field with a name of up to 255 bytes, braces and newlines. */
const FIXED_BYTES = MAX_ACTION_LINE_BYTES + 2 * 256;

const CLOSING = 0x7d;
const NEWLINE = 0x0a;

/** How many columns each row has. */
export function columnCount({ definition }: DescribedDefinition): number {
  const { where, changedAt } = definition.source;
  return 1 + (where === null ? 0 : 1) + (changedAt === null ? 0 : 1) + definition.document.length;
}

/**
 * Turns rows of the binary COPY (their columns: see `copyStatement`) into the bulk lines of documents. Made once per
 * task for the described columns; nothing is allocated for a row.
 */
export class RowEncoder {
  readonly #maxDocumentBytes: number;
  /** What a row's two lines hold beside its values. */
  readonly #framingBytes: number;
  readonly #filters: boolean;
  readonly #versions: boolean;
  readonly #nullForUnrepresentable: boolean;
  readonly #keyPrefix: Uint8Array;
  readonly #columns: readonly Column[];
  readonly #keptFields: ReturnType<typeof keptFieldsEncoder>;
  readonly #cell = new Int64Cell();
  /** The key of the row at hand. */
  #keyHigh = 0;
  #keyLow = 0;
  /** The field that JSON cannot say, after `#writeFields` gave UNREPRESENTABLE. */
  #unrepresentable = '';

  constructor(described: DescribedDefinition) {
    const { definition, fields } = described;
    this.#maxDocumentBytes = definition.maxDocumentBytes;
    this.#filters = definition.source.where !== null;
    this.#versions = definition.source.changedAt !== null;
    this.#nullForUnrepresentable = definition.unrepresentable === 'null';
    this.#keyPrefix = Buffer.from(`{${JSON.stringify(definition.source.key)}:`);
    this.#columns = fields.map(({ name, oid }) => ({
      name,
      prefix: Buffer.from(`,${JSON.stringify(name)}:`),
      write: valueWriter(oid, this.#nullForUnrepresentable),
    }));
    this.#framingBytes = this.#columns.reduce((sum, { prefix }) => sum + prefix.length, FIXED_BYTES);
    this.#keptFields = keptFieldsEncoder(described);
  }

  /**
   * Encodes the row `source[start, end)` at the end of a batch, as the two lines of its document or as a dead letter,
   * or counts it as filtered. False: it does not fit, and the batch is as it was. An empty batch takes any row,
   * provided that its buffer has room for `maxDocumentBytes` and `MAX_ACTION_LINE_BYTES`.
   */
  encode(source: Buffer, start: number, end: number, batch: Batch): boolean {
    // It would be noticed afterwards as well, but a loop that once wrote past the end is slower ever after (measured).
    const mostBytes = this.#framingBytes + (end - start) * MOST_GROWTH;
    if (batch.items > 0 && batch.length + mostBytes > batch.buffer.length) return false;
    const keyAt = start + KEY_OFFSET_BYTES;
    this.#keyHigh = readInt4(source, keyAt);
    this.#keyLow = readUint4(source, keyAt + 4);
    let at = keyAt + KEY_BYTES;
    if (this.#filters) {
      at += KEPT_BYTES;
      if (source[at - 1] === 0) return countFiltered(batch);
    }
    return this.#versions
      ? this.#encodeVersioned(source, at, end, batch)
      : this.#encodeDocument(
          source,
          at,
          end,
          batch,
          writeAction(batch.buffer, batch.length, this.#keyHigh, this.#keyLow),
        );
  }

  #encodeVersioned(source: Buffer, at: number, end: number, batch: Batch): boolean {
    const versionAt = at + LENGTH_BYTES;
    const length = readInt4(source, at);
    const fieldsAt = versionAt + Math.max(0, length);
    const unusable = unusableVersion(source, versionAt, length);
    if (unusable !== null) {
      return this.#bury(
        batch,
        'changed_at_unusable',
        `changed_at is ${unusable}.`,
        this.#keptFields(source, fieldsAt, end),
      );
    }
    const to = writeVersionedAction(
      batch.buffer,
      batch.length,
      this.#keyHigh,
      this.#keyLow,
      source,
      versionAt,
    );
    return this.#encodeDocument(source, fieldsAt, end, batch, to);
  }

  /** The document behind its action line; `source[at, end)` are its fields. */
  #encodeDocument(source: Buffer, at: number, end: number, batch: Batch, start: number): boolean {
    const target = batch.buffer;
    let to = this.#writeFields(source, at, end, target, start);
    if (to === UNREPRESENTABLE) {
      const reason = `The field "${this.#unrepresentable}" is NaN, infinite, BC or after the year 9999.`;
      return this.#bury(batch, 'unrepresentable_value', reason, this.#keptFields(source, at, end));
    }
    target[to++] = CLOSING;
    if (to - start > this.#maxDocumentBytes) {
      return this.#bury(
        batch,
        'document_too_large',
        tooLargeReason('document', to - start, this.#maxDocumentBytes),
        null,
      );
    }
    target[to++] = NEWLINE;
    if (to > target.length) return false;
    batch.offsets[batch.items] = batch.length;
    this.#cell.store(batch.keys, batch.items, this.#keyHigh, this.#keyLow);
    batch.items++;
    batch.rowsRead++;
    batch.length = to;
    return true;
  }

  #writeFields(source: Buffer, start: number, end: number, target: Buffer, position: number): number {
    let at = start;
    let to = writeInt8(target, writePrefix(this.#keyPrefix, target, position), this.#keyHigh, this.#keyLow);
    for (const column of this.#columns) {
      to = writePrefix(column.prefix, target, to);
      const length = readInt4(source, at);
      at += LENGTH_BYTES;
      if (length < 0) {
        to = writeNull(target, to);
        continue;
      }
      const written = column.write(source, at, at + length, target, to);
      at += length;
      if (written === UNREPRESENTABLE && !this.#nullForUnrepresentable) {
        this.#unrepresentable = column.name;
        return UNREPRESENTABLE;
      }
      to = written === UNREPRESENTABLE ? writeNull(target, to) : written;
    }
    if (at !== end) throw this.#malformed();
    return to;
  }

  #bury(batch: Batch, type: string, reason: string, fields: string | null): true {
    batch.deadLetters.push({ key: this.#key, type, reason, fields });
    batch.rowsRead++;
    return true;
  }

  get #key(): bigint {
    return joinInt8(this.#keyHigh, this.#keyLow);
  }

  #malformed(): TaskFailure {
    return new TaskFailure(
      'retry',
      'malformed_row',
      `The row of key ${this.#key} is not as long as its columns say.`,
    );
  }
}

/** What a dead letter says of a row or document over the limit. */
export function tooLargeReason(what: 'row' | 'document', bytes: number, limitBytes: number): string {
  return `The ${what} has ${bytes} bytes; max_document_bytes is ${limitBytes}.`;
}

function countFiltered(batch: Batch): true {
  batch.filtered++;
  batch.rowsRead++;
  return true;
}

function writePrefix(prefix: Uint8Array, target: Buffer, position: number): number {
  for (let i = 0; i < prefix.length; i++) target[position + i] = prefix[i] as number;
  return position + prefix.length;
}
