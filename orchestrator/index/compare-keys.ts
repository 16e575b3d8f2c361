import type { DescribedDefinition, KeyRange } from '../../definition/definition.ts';
import { read } from './cluster-error.ts';
import { parseJson } from './exact-json.ts';
import type { TargetNames } from './names.ts';
import { rangeQuery } from './range-query.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import type { ValidationSource } from './validation-source.ts';

const PAGE = 10_000;
/** Keys named one by one. */
const NAMED = 10;

export interface KeyDifference {
  /** In the table and neither in the index nor among the dead letters. */
  readonly missing: { readonly count: number; readonly first: readonly string[] };
  /** In the index and not, or no longer, in the table. */
  readonly surplus: { readonly count: number; readonly first: readonly string[] };
}

export interface KeyComparison {
  readonly cluster: SearchCalls;
  readonly source: ValidationSource;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly range: KeyRange;
  readonly signal: AbortSignal;
}

/** Compares a range key by key, both sides in key order, a page of each in memory at a time. */
export async function compareKeys(comparison: KeyComparison): Promise<KeyDifference> {
  const missing = new Named();
  const surplus = new Named();
  const dead = await all(targetKeys(comparison, comparison.names.deadLetterIndex));
  const rows = sourceKeys(comparison);
  const documents = targetKeys(comparison, comparison.names.index);
  let row = await next(rows);
  let document = await next(documents);
  while (row !== null || document !== null) {
    comparison.signal.throwIfAborted();
    if (document === null || (row !== null && row < document)) {
      if (row !== null && !dead.has(row)) missing.add(row);
      row = await next(rows);
    } else if (row === null || document < row) {
      surplus.add(document);
      document = await next(documents);
    } else {
      row = await next(rows);
      document = await next(documents);
    }
  }
  return { missing: missing.summary, surplus: surplus.summary };
}

class Named {
  #count = 0;
  readonly #first: string[] = [];

  add(key: bigint): void {
    this.#count += 1;
    if (this.#first.length < NAMED) this.#first.push(key.toString());
  }

  get summary(): { count: number; first: readonly string[] } {
    return { count: this.#count, first: this.#first };
  }
}

async function* sourceKeys({ source, range }: KeyComparison): AsyncGenerator<bigint> {
  for await (const page of source.keys(range)) yield* page;
}

async function* targetKeys(
  { cluster, described, range, signal }: KeyComparison,
  index: string,
): AsyncGenerator<bigint> {
  const { key } = described.definition.source;
  let after: bigint | null = null;
  for (;;) {
    const body: Record<string, unknown> = {
      query: rangeQuery(key, range),
      sort: [{ [key]: 'asc' }],
      size: PAGE,
      _source: false,
      ...(after === null ? {} : { search_after: [after.toString()] }),
    };
    const answer = parseJson(await cluster.callText('POST', `/${segment(index)}/_search`, body, { signal }));
    const hits = read(read(answer, 'hits'), 'hits');
    const keys = Array.isArray(hits) ? hits.map((hit) => BigInt(String(read(hit, '_id')))) : [];
    yield* keys;
    after = keys.at(-1) ?? null;
    if (keys.length < PAGE) return;
  }
}

async function next(keys: AsyncGenerator<bigint>): Promise<bigint | null> {
  const { value, done } = await keys.next();
  return done === true ? null : value;
}

async function all(keys: AsyncGenerator<bigint>): Promise<Set<bigint>> {
  const found = new Set<bigint>();
  for await (const key of keys) found.add(key);
  return found;
}
