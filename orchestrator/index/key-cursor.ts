import type { Key } from '../../definition/key/key-kind.ts';

/** Stands on one key after another of a rising sequence of pages. Only what loads a page has to be waited for. */
export class KeyCursor {
  readonly #pages: AsyncIterator<readonly Key[]>;
  #page: readonly Key[] = [];
  #at = 0;

  constructor(pages: AsyncIterable<readonly Key[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** The key that it stands on; null behind the last. */
  get key(): Key | null {
    return this.#page[this.#at] ?? null;
  }

  /** To the next key, if that is at hand; false: `load` first. */
  step(): boolean {
    this.#at += 1;
    return this.#at < this.#page.length;
  }

  /** Stands on the first key of the next page. */
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
