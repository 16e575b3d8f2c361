import type { Key } from '../../definition/key/key-kind.ts';

/** Goes from key to key through rising pages. Only loading a page has to be awaited. */
export class KeyCursor {
  readonly #pages: AsyncIterator<readonly Key[]>;
  #page: readonly Key[] = [];
  #at = 0;

  constructor(pages: AsyncIterable<readonly Key[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** The present key. Null behind the last. */
  get key(): Key | null {
    return this.#page[this.#at] ?? null;
  }

  /** Goes to the next key. False when the page has no more keys; then call `load`. */
  step(): boolean {
    this.#at += 1;
    return this.#at < this.#page.length;
  }

  /** Goes to the first key of the next page. */
  async load(): Promise<void> {
    do {
      const next = await this.#pages.next();
      this.#page = next.done === true ? [] : next.value;
      this.#at = 0;
      if (next.done === true) return;
    } while (this.#page.length === 0);
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}
