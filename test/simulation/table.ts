import type { KeyRange } from '../../definition/key/key-range.ts';

/** A row as a reader sees it. */
export interface VirtualRow {
  readonly key: bigint;
  /** `changed_at` in microseconds since 1970. */
  readonly version: bigint;
}

/** A state of a row, and since when it has it in virtual time. */
interface Change {
  readonly sinceMs: number;
  readonly version: bigint;
}

const WHOLE_TABLE: KeyRange = { start: null, end: null };
const EPOCH_MS = Date.UTC(2026, 0, 1);
/** When the rows that are there at first were written. */
const FIRST_VERSION = BigInt(Date.UTC(2025, 5, 1)) * 1_000n + 7n;

/** A table in virtual time. Its definition leaves some of the keys out. */
export class VirtualTable {
  /** The keys, rising. */
  #keys: bigint[];
  /** What became of each row since the beginning. */
  readonly #changes = new Map<bigint, Change[]>();
  readonly #filtered: (key: bigint) => boolean;
  readonly #nowMs: () => number;
  /** Rows whose key is NULL, whatever the catalogue says. */
  unkeyed = 0;
  /** All rows that were ever inserted, updated or deleted. */
  writes = 0;
  /** While it is down, reading fails. */
  down = false;

  constructor(keys: readonly bigint[], filtered: (key: bigint) => boolean, nowMs: () => number) {
    this.#keys = sorted(keys);
    this.#filtered = filtered;
    this.#nowMs = nowMs;
  }

  /** True once the table has changed. */
  get changed(): boolean {
    return this.writes > 0;
  }

  /** All rows, also those whose key is NULL. */
  get rows(): number {
    return this.#keys.length + this.unkeyed;
  }

  /** The present rows of a range, for a worker. */
  read(range: KeyRange): VirtualRow[] {
    if (this.down) throw new Error('the database is down');
    return this.keysIn(range).map((key) => ({ key, version: this.versionOf(key) }));
  }

  /** The present keys of a range. They are integers. */
  keysIn(range: KeyRange): bigint[] {
    const { start, end } = range as { start: bigint | null; end: bigint | null };
    return this.#keys.filter((key) => (start === null || key >= start) && (end === null || key < end));
  }

  get keys(): bigint[] {
    return this.keysIn(WHOLE_TABLE);
  }

  /** The keys of the rows that the definition keeps. */
  keptIn(range: KeyRange): bigint[] {
    return this.keysIn(range).filter((key) => !this.#filtered(key));
  }

  isFiltered(key: bigint): boolean {
    return this.#filtered(key);
  }

  /** The version that a row has now, or had at a time. */
  versionOf(key: bigint, atMs = this.#nowMs()): bigint {
    return this.#changes.get(key)?.findLast(({ sinceMs }) => sinceMs <= atMs)?.version ?? FIRST_VERSION;
  }

  insert(key: bigint): void {
    if (this.#keys.includes(key)) return;
    this.#keys = sorted([...this.#keys, key]);
    this.update(key);
  }

  update(key: bigint): void {
    this.writes += 1;
    const sinceMs = this.#nowMs();
    const version = BigInt(EPOCH_MS + Math.floor(sinceMs)) * 1_000n + 7n;
    this.#changes.set(key, [...(this.#changes.get(key) ?? []), { sinceMs, version }]);
  }

  delete(key: bigint): void {
    this.#keys = this.#keys.filter((other) => other !== key);
    this.writes += 1;
  }
}

/** The text that the definition makes of a row. */
export function nameOf({ key, version }: VirtualRow): string {
  const words = `place ${key < 0n ? `south ${-key}` : key}`;
  return version === FIRST_VERSION ? words : `${words} of ${version}`;
}

/** The least version of a row that changed since a moment in ISO 8601. */
export function versionSince(iso: string): bigint {
  return BigInt(Date.parse(iso)) * 1_000n;
}

/** What the database's clock says. */
export function databaseTime(nowMs: number): string {
  return new Date(EPOCH_MS + Math.floor(nowMs)).toISOString();
}

export function firstRow(key: bigint): VirtualRow {
  return { key, version: FIRST_VERSION };
}

function sorted(keys: readonly bigint[]): bigint[] {
  return [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
