/**
 * A batch: the bulk lines of consecutive rows in one reused buffer, with what is needed to match each item of the
 * response with what was sent. Rows enter in key order; a batch covers a closed stretch of the task's rows, the
 * filtered and dead-lettered ones among them, so that it settles as a whole.
 *
 * Layout of `buffer[0, length)`: per item its action line and its document line, each with its newline.
 * Item i starts at `offsets[i]` and ends at `offsets[i + 1]` (or at `length` for the last).
 */
export class Batch {
  readonly buffer: Buffer;
  length = 0;
  /** Number of documents. */
  items = 0;
  readonly offsets: Uint32Array;
  readonly keys: BigInt64Array;
  /** Rows of the stretch: documents, filtered rows and dead letters. */
  rowsRead = 0;
  filtered = 0;
  /** Rows that never became a document (found while reading or encoding). */
  readonly deadLetters: DeadLetter[] = [];
  /** The last key of the stretch; null while no row has entered. */
  lastKey: bigint | null = null;

  constructor(capacityBytes: number, maxItems: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacityBytes);
    this.offsets = new Uint32Array(maxItems + 1);
    this.keys = new BigInt64Array(maxItems);
  }

  get full(): boolean {
    return this.items === this.keys.length;
  }

  get empty(): boolean {
    return this.rowsRead === 0;
  }

  /** Where item `i` lies in the buffer. */
  itemStart(i: number): number {
    return this.offsets[i] ?? this.length;
  }

  itemEnd(i: number): number {
    return i + 1 < this.items ? (this.offsets[i + 1] ?? this.length) : this.length;
  }

  reset(): void {
    this.length = 0;
    this.items = 0;
    this.rowsRead = 0;
    this.filtered = 0;
    this.deadLetters.length = 0;
    this.lastKey = null;
  }
}

/** A row that could not become a document, as it will stand in the companion index. */
export interface DeadLetter {
  readonly key: bigint;
  /** Short and stable, e.g. `document_too_large`, `22P02`, `mapper_parsing_exception`. */
  readonly type: string;
  /** One sentence. Not the row's values beyond what the database or the cluster says. */
  readonly reason: string;
  /** The fields that the definition allows to be kept, as JSON text; null: none. */
  readonly fields: string | null;
}
