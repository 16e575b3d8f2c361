import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Row } from '../source/row.ts';
import { TaskFailure } from '../task-failure.ts';
import { readInt4 } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter, writeNull } from './value-writer.ts';
import { valueWriter } from './value-writers.ts';
import { ConstantBytes, sourceWords, targetWords } from './words.ts';

interface Column {
  readonly name: string;
  /** How many of the row's columns before this one are not in the document. */
  readonly skips: number;
  /** `,"name":` */
  readonly prefix: ConstantBytes;
  readonly write: ValueWriter;
}

const LENGTH_BYTES = 4;

/** No value grows more than this when it becomes JSON: a control character becomes six. Vast numbers do, see bytes.ts. */
const MOST_GROWTH = 6;
/** The key with its name of up to 255 bytes, and the braces. */
const FIXED_BYTES = 2 * 256;

const CLOSING = 0x7d;

/**
 * Turns rows of the binary COPY into documents, and knows nothing of where they go. Made once per task and target;
 * nothing is allocated for a row.
 */
export class DocumentEncoder {
  readonly #nullForUnrepresentable: boolean;
  /** What a document holds beside its values. */
  readonly #fixedBytes: number;
  readonly #keyPrefix: ConstantBytes;
  readonly #columns: readonly Column[];
  /** How many of the row's columns follow the last of the document. */
  readonly #skipsAtEnd: number;
  /** The field that JSON cannot say, after `write` gave UNREPRESENTABLE. */
  unrepresentable = '';

  /** @param fields names of the row's fields, in their order, which hold those of the definition */
  constructor(described: DescribedDefinition, fields: readonly string[]) {
    const { definition } = described;
    this.#nullForUnrepresentable = definition.unrepresentable === 'null';
    this.#keyPrefix = new ConstantBytes(`{${JSON.stringify(definition.source.key)}:`);
    const columns: Column[] = [];
    let skips = 0;
    for (const name of fields) {
      const field = described.fields.find((one) => one.name === name);
      if (field === undefined) {
        skips++;
        continue;
      }
      const prefix = new ConstantBytes(`,${JSON.stringify(name)}:`);
      columns.push({ name, skips, prefix, write: valueWriter(field.oid, this.#nullForUnrepresentable) });
      skips = 0;
    }
    this.#columns = columns;
    this.#skipsAtEnd = skips;
    this.#fixedBytes = columns.reduce((sum, { prefix }) => sum + prefix.length, FIXED_BYTES);
  }

  /** More bytes than the row's document has, but for vast numbers. */
  mostBytes(row: Row): number {
    return this.#fixedBytes + (row.end - row.start) * MOST_GROWTH;
  }

  /**
   * Writes the row's document, one JSON object on one line. Gives the position behind it, which lies past the target's
   * end when it does not fit, or UNREPRESENTABLE.
   */
  write(row: Row, target: Buffer, position: number): number {
    const { source } = row;
    const from = sourceWords(source);
    // Null: it might not fit, so names are written byte by byte.
    const into = position + this.mostBytes(row) <= target.length ? targetWords(target) : null;
    let at = row.fieldsAt;
    let to = row.key.writeJson(target, writeName(this.#keyPrefix, target, into, position));
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as Column;
      if (column.skips > 0) at = behind(source, at, column.skips);
      to = writeName(column.prefix, target, into, to);
      const length = from.getInt32(at);
      at += LENGTH_BYTES;
      if (length < 0) {
        to = writeNull(target, to);
        continue;
      }
      const written = column.write(source, at, target, to);
      at += length;
      if (written === UNREPRESENTABLE && !this.#nullForUnrepresentable) {
        this.unrepresentable = column.name;
        return UNREPRESENTABLE;
      }
      to = written === UNREPRESENTABLE ? writeNull(target, to) : written;
    }
    if (this.#skipsAtEnd > 0) at = behind(source, at, this.#skipsAtEnd);
    if (at !== row.end) throw malformed(row);
    target[to++] = CLOSING;
    return to;
  }
}

/** The position behind so many columns. */
function behind(source: Buffer, start: number, columns: number): number {
  let at = start;
  for (let i = 0; i < columns; i++) at += LENGTH_BYTES + Math.max(0, readInt4(source, at));
  return at;
}

function malformed(row: Row): TaskFailure {
  return new TaskFailure(
    'retry',
    'malformed_row',
    `The row of key ${row.key.key} is not as long as its columns say.`,
  );
}

function writeName(name: ConstantBytes, target: Buffer, into: DataView | null, position: number): number {
  return into === null ? name.writeBytes(target, position) : name.writeWords(into, position);
}
