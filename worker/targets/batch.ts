import type { DeadLetter } from '../dead-letter.ts';
import type { KeyBytes, KeyCell, KeyStore } from '../key/key-bytes.ts';

/**
 * A batch: what one target is sent of a stretch of rows, in one reused buffer, with what is needed to match each item's
 * outcome with what was sent. Items stand in key order.
 *
 * Layout of `buffer[0, length)`: per item its document as the target frames it. Item i starts at `itemStart(i)` and ends
 * at `itemEnd(i)`.
 */
export class Batch {
  readonly buffer: Buffer;
  length = 0;
  /** Number of documents. */
  items = 0;
  readonly offsets: Uint32Array;
  keys: KeyStore;
  /** Rows of the stretch that the target does not take. */
  filtered = 0;
  /** Rows that never became a document (found while reading or encoding). */
  readonly deadLetters: DeadLetter[] = [];
  readonly #sendAtBytes: number;
  #keyBytes: KeyBytes;

  /** @param sendAtBytes the batch is full with so many bytes; the room behind them is for one large document */
  constructor(capacityBytes: number, maxItems: number, keyBytes: KeyBytes, sendAtBytes = capacityBytes) {
    this.#sendAtBytes = sendAtBytes;
    this.buffer = Buffer.allocUnsafeSlow(capacityBytes);
    this.offsets = new Uint32Array(maxItems + 1);
    this.keys = keyBytes.createStore(maxItems);
    this.#keyBytes = keyBytes;
  }

  get full(): boolean {
    return this.items === this.keys.length || this.length >= this.#sendAtBytes;
  }

  /** Rows of the stretch that are accounted for. */
  get rows(): number {
    return this.items + this.filtered + this.deadLetters.length;
  }

  /** Where item `i` lies in the buffer. */
  itemStart(i: number): number {
    return this.offsets[i] ?? this.length;
  }

  itemEnd(i: number): number {
    return i + 1 < this.items ? (this.offsets[i + 1] ?? this.length) : this.length;
  }

  /** Enters the item that was written to the buffer from `length` on. */
  append(key: KeyCell, end: number): void {
    this.offsets[this.items] = this.length;
    this.keys.put(this.items, key);
    this.items++;
    this.length = end;
  }

  /** Takes the last item out again. */
  removeLast(): void {
    this.items--;
    this.length = this.offsets[this.items] ?? 0;
  }

  /** From now on its keys are of this kind. */
  useKeys(keyBytes: KeyBytes): void {
    if (keyBytes === this.#keyBytes) return;
    this.keys = keyBytes.createStore(this.keys.length);
    this.#keyBytes = keyBytes;
  }

  reset(): void {
    this.length = 0;
    this.items = 0;
    this.filtered = 0;
    this.deadLetters.length = 0;
  }
}
