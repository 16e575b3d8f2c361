import type { DescribedDefinition } from '../../definition/definition.ts';
import type { ReadingColumns } from '../../definition/reading.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { DocumentEncoder } from '../document/document-encoder.ts';
import { type LetterFields, letterFieldsOf } from '../document/letter-fields.ts';
import { UNREPRESENTABLE } from '../document/value-writer.ts';
import type { Row } from '../source/row.ts';
import type { Batch } from './batch.ts';
import { type Framing, UNUSABLE } from './target.ts';

/** What became of a row at one target. `full`: it does not fit, and the batch is as it was. */
export type Taken = 'document' | 'filtered' | 'dead_letter' | 'full';

/** Takes the rows of a reading for one target: leaves out what its `where` leaves out, and frames the documents. */
export class RowTaker {
  readonly #maxDocumentBytes: number;
  /** The place of its `where` among those of the reading; -1: it takes every row. */
  readonly #where: number;
  readonly #framing: Framing;
  readonly #encoder: DocumentEncoder;
  readonly #letterFields: LetterFields;

  constructor(described: DescribedDefinition, { wheres, fields }: ReadingColumns, framing: Framing) {
    const { source, maxDocumentBytes } = described.definition;
    const names = fields.map(({ name }) => name);
    this.#maxDocumentBytes = maxDocumentBytes;
    this.#where = source.where === null ? -1 : wheres.indexOf(source.where);
    this.#framing = framing;
    this.#encoder = new DocumentEncoder(described, names);
    this.#letterFields = letterFieldsOf(described, names);
  }

  /**
   * Encodes a row at the end of a batch, as a document or as a dead letter, or counts it as filtered. An empty batch
   * takes any row, provided that its buffer has room for `maxDocumentBytes` and the framing.
   */
  take(row: Row, batch: Batch): Taken {
    if (this.#filters(row)) {
      batch.filtered++;
      return 'filtered';
    }
    const framing = this.#framing;
    const encoder = this.#encoder;
    const { buffer } = batch;
    // It would be noticed afterwards as well, but a loop that once wrote past the end is slower ever after (measured).
    const mostBytes = framing.mostBytes + encoder.mostBytes(row);
    if (batch.items > 0 && batch.length + mostBytes > buffer.length) return 'full';
    const start = framing.begin(row, buffer, batch.length);
    if (start === UNUSABLE) {
      const { type, reason } = framing.faultOf(row);
      return this.#bury(row, batch, { type, reason, fields: this.#letterFields(row) });
    }
    const behind = encoder.write(row, buffer, start);
    if (behind === UNREPRESENTABLE) {
      const reason = `The field "${encoder.unrepresentable}" is NaN, infinite, BC or after the year 9999.`;
      return this.#bury(row, batch, {
        type: 'unrepresentable_value',
        reason,
        fields: this.#letterFields(row),
      });
    }
    if (behind - start > this.#maxDocumentBytes) {
      return this.#bury(row, batch, this.#tooLarge('document', behind - start));
    }
    const end = framing.end(buffer, behind);
    if (end > buffer.length) return 'full';
    batch.append(row.key, end);
    return 'document';
  }

  /** Takes a row of so many bytes, of which there is only the head. */
  takeOversized(row: Row, batch: Batch, bytes: number): Taken {
    if (this.#filters(row)) {
      batch.filtered++;
      return 'filtered';
    }
    return this.#bury(row, batch, this.#tooLarge('row', bytes));
  }

  /**
   * Takes a row that breaks its own evaluation.
   * @param kept which conditions of the reading hold for it; null: that cannot be told
   */
  takeBroken(letter: DeadLetter, kept: readonly boolean[] | null, batch: Batch): Taken {
    if (this.#where >= 0 && kept?.[this.#where] === false) {
      batch.filtered++;
      return 'filtered';
    }
    batch.deadLetters.push(letter);
    return 'dead_letter';
  }

  #filters(row: Row): boolean {
    return this.#where >= 0 && !row.keeps(this.#where);
  }

  #bury(row: Row, batch: Batch, letter: Letter): Taken {
    batch.deadLetters.push({ key: row.key.key, ...letter });
    return 'dead_letter';
  }

  #tooLarge(what: 'row' | 'document', bytes: number): Letter {
    const reason = `The ${what} has ${bytes} bytes; max_document_bytes is ${this.#maxDocumentBytes}.`;
    return { type: 'document_too_large', reason, fields: null };
  }
}

interface Letter {
  readonly type: string;
  readonly reason: string;
  readonly fields: string | null;
}

/** Takes back what `take` did with the last row. */
export function untake(taken: Taken, batch: Batch): void {
  if (taken === 'document') batch.removeLast();
  else if (taken === 'filtered') batch.filtered--;
  else if (taken === 'dead_letter') batch.deadLetters.pop();
}
