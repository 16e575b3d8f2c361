import type { KeyRange } from '../../definition/key/key-range.ts';

/** A table in virtual time. Its definition leaves some of the keys out. */
export class VirtualTable {
  /** The keys, rising. */
  #keys: bigint[];
  readonly #filtered: (key: bigint) => boolean;
  /** Rows whose key is NULL, whatever the catalogue says. */
  unkeyed = 0;
  /** All rows that were ever inserted or deleted. */
  writes = 0;
  /** While it is down, reading fails. */
  down = false;

  constructor(keys: readonly bigint[], filtered: (key: bigint) => boolean) {
    this.#keys = sorted(keys);
    this.#filtered = filtered;
  }

  /** True once the table has changed. */
  get changed(): boolean {
    return this.writes > 0;
  }

  /** All rows, also those whose key is NULL. */
  get rows(): number {
    return this.#keys.length + this.unkeyed;
  }

  /** The present keys of a range, for a worker. */
  read(range: KeyRange): bigint[] {
    if (this.down) throw new Error('the database is down');
    return this.keysIn(range);
  }

  /** The present keys of a range. They are integers. */
  keysIn(range: KeyRange): bigint[] {
    const { start, end } = range as { start: bigint | null; end: bigint | null };
    return this.#keys.filter((key) => (start === null || key >= start) && (end === null || key < end));
  }

  /** The keys of the rows that the definition keeps. */
  keptIn(range: KeyRange): bigint[] {
    return this.keysIn(range).filter((key) => !this.#filtered(key));
  }

  isFiltered(key: bigint): boolean {
    return this.#filtered(key);
  }

  insert(key: bigint): void {
    if (this.#keys.includes(key)) return;
    this.#keys = sorted([...this.#keys, key]);
    this.writes += 1;
  }

  delete(key: bigint): void {
    this.#keys = this.#keys.filter((other) => other !== key);
    this.writes += 1;
  }
}

/** The text that the definition makes of a row. */
export function nameOf(key: bigint): string {
  return `place ${key < 0n ? `south ${-key}` : key}`;
}

function sorted(keys: readonly bigint[]): bigint[] {
  return [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
