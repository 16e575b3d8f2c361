import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Key, KeyKind } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { AskedCopies } from './copies.ts';
import { KeyCursor } from './key-cursor.ts';
import type { TargetNames } from './names.ts';
import type { SearchCalls } from './search-calls.ts';
import { targetKeys } from './target-keys.ts';
import type { ValidationSource } from './validation-source.ts';

/** How many keys are named one by one. */
const NAMED = 10;

export interface NamedKeys {
  readonly count: number;
  /** The least keys, for a person. */
  readonly first: readonly Key[];
}

export interface KeyDifference {
  /** In the table, but neither in the index nor among the dead letters. */
  readonly missing: NamedKeys;
  /** In the index or among the dead letters, but not (or no longer) in the table. */
  readonly surplus: NamedKeys;
  /** Dead letters that also have a document. One of two readings of the row is stale, and nobody knows which. */
  readonly both: NamedKeys;
}

/** How many keys the index and its companion gave. */
export interface SeenKeys {
  readonly documents: number;
  readonly deadLetters: number;
}

export interface KeyComparison {
  readonly cluster: SearchCalls;
  readonly source: ValidationSource;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly range: KeyRange;
  readonly copies: AskedCopies;
  /** The most keys that one search of the index may give. Absent: the index's default. */
  readonly keysPerPage?: number;
  readonly signal: AbortSignal;
}

/**
 * Compares a range key by key. It reads table, index and dead letters in key order, and holds one page of each in
 * memory.
 */
export async function compareKeys(comparison: KeyComparison): Promise<KeyDifference & { seen: SeenKeys }> {
  const { source, described, names, range, signal } = comparison;
  const kind = keyKindOf(described.definition);
  const rows = new KeyCursor(source.keys(range));
  const documents = new KeyCursor(keysIn(comparison, names.index));
  const letters = new KeyCursor(keysIn(comparison, names.deadLetterIndex));
  const all = [rows, documents, letters];
  const [missing, surplus, both] = [new Named(), new Named(), new Named()];
  const seen = { documents: 0, deadLetters: 0 };
  try {
    for (const cursor of all) await cursor.load();
    for (let key = least(kind, all); key !== null; key = least(kind, all)) {
      const isRow = rows.key === key;
      const isDocument = documents.key === key;
      const isLetter = letters.key === key;
      if (isDocument) seen.documents += 1;
      if (isLetter) seen.deadLetters += 1;
      if (!isRow) surplus.add(key);
      if (!isDocument && !isLetter) missing.add(key);
      if (isDocument && isLetter) both.add(key);
      for (const cursor of all) {
        if (cursor.key !== key || cursor.step()) continue;
        signal.throwIfAborted();
        await cursor.load();
      }
    }
  } finally {
    await Promise.all(all.map((cursor) => cursor.close()));
  }
  return { missing: missing.summary, surplus: surplus.summary, both: both.summary, seen };
}

export function differ({ missing, surplus, both }: KeyDifference): boolean {
  return missing.count + surplus.count + both.count > 0;
}

function keysIn(
  { cluster, described, range, copies, keysPerPage, signal }: KeyComparison,
  index: string,
): AsyncIterable<readonly Key[]> {
  return targetKeys({ cluster, index, definition: described.definition, range, copies, signal }, keysPerPage);
}

function least(kind: KeyKind, cursors: readonly KeyCursor[]): Key | null {
  let found: Key | null = null;
  for (const { key } of cursors)
    if (key !== null && (found === null || kind.compare(key, found) < 0)) found = key;
  return found;
}

class Named {
  #count = 0;
  readonly #first: Key[] = [];

  add(key: Key): void {
    this.#count += 1;
    if (this.#first.length < NAMED) this.#first.push(key);
  }

  get summary(): NamedKeys {
    return { count: this.#count, first: this.#first };
  }
}
