/**
 * Reads and writes four bytes at a time, at any place of a buffer. A word reads the same on every machine: its first
 * byte is the lowest.
 * A view must stay within its buffer. It throws where a byte array ignores a write past the end (see bytes.ts), so who
 * writes words makes sure first that there is room for whole ones.
 */
export const WORD_BYTES = 4;

/** The view of the buffer that was asked for last: rows come from one buffer and go to one for a long time. */
class LastView {
  #buffer: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#buffer.buffer);

  of(buffer: Uint8Array): DataView {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    return this.#view;
  }
}

const sources = new LastView();
const targets = new LastView();

/** The words of a buffer that rows are read from. */
export function sourceWords(source: Uint8Array): DataView {
  return sources.of(source);
}

/** The words of a buffer that documents are written to. */
export function targetWords(target: Uint8Array): DataView {
  return targets.of(target);
}

/** Bytes that are written again and again, in words; what follows the last byte of the last word is meaningless. */
export class ConstantBytes {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  constructor(text: string) {
    this.#bytes = Buffer.from(text);
    this.length = this.#bytes.length;
    const padded = Buffer.alloc(Math.ceil(this.length / WORD_BYTES) * WORD_BYTES);
    padded.set(this.#bytes);
    this.#words = Int32Array.from({ length: padded.length / WORD_BYTES }, (_, i) =>
      padded.readInt32LE(i * WORD_BYTES),
    );
  }

  /** Writes them where there is room for whole words, and gives the position behind the last byte. */
  writeWords(target: DataView, position: number): number {
    const words = this.#words;
    for (let i = 0; i < words.length; i++)
      target.setInt32(position + i * WORD_BYTES, words[i] as number, true);
    return position + this.length;
  }

  /** Writes them byte by byte: what lies past the end of the array is left out. */
  writeBytes(target: Uint8Array, position: number): number {
    const bytes = this.#bytes;
    for (let i = 0; i < bytes.length; i++) target[position + i] = bytes[i] as number;
    return position + this.length;
  }
}
