import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { read } from './cluster-error.ts';
import { type AskedCopies, askedOf } from './copies.ts';
import { parseJson } from './exact-json.ts';
import { describeIndex } from './index-meta.ts';
import { rangeQuery } from './range-query.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import { requireWhole } from './whole-answer.ts';

/** The default of `index.max_result_window`. One search gives no more than this. */
const MOST_PER_PAGE = 10_000;

export interface KeysOf {
  readonly cluster: SearchCalls;
  readonly index: string;
  readonly definition: IndexDefinition;
  readonly range: KeyRange;
  readonly copies: AskedCopies;
  readonly signal: AbortSignal;
}

/** How many keys one search of the index may give: `index.max_result_window`, but at most its default. */
export async function mostPerPage(cluster: SearchCalls, index: string): Promise<number> {
  const description = await describeIndex(cluster, index);
  const setting = Number(description?.settings['index.max_result_window'] ?? MOST_PER_PAGE);
  return Math.min(MOST_PER_PAGE, setting);
}

/**
 * The keys of an index in a range, rising, in pages. They are the sort values, in which a `long` keeps all its digits.
 * No part of a document is fetched, which takes a tenth of the cluster's work (measured). This does not show whether
 * `_id` says the same. But one value makes both when a document is written, and the samples, which are fetched by
 * `_id`, compare them.
 */
export async function* targetKeys(keys: KeysOf, perPage = MOST_PER_PAGE): AsyncGenerator<readonly Key[]> {
  let after: Key | null = null;
  for (;;) {
    const page: readonly Key[] = await readPage(keys, after, perPage);
    if (page.length > 0) yield page;
    if (page.length < perPage) return;
    after = page.at(-1) ?? null;
  }
}

async function readPage(
  { cluster, index, definition, range, copies, signal }: KeysOf,
  after: Key | null,
  size: number,
): Promise<Key[]> {
  const kind = keyKindOf(definition);
  const path = askedOf(copies, `/${segment(index)}/_search?filter_path=timed_out,_shards,hits.hits.sort`);
  const body = {
    query: rangeQuery(definition, range),
    sort: [{ [definition.source.key]: 'asc' }],
    size,
    _source: false,
    stored_fields: '_none_',
    // Without an exact total, OpenSearch from 3.2 on may approximate a sorted search on a number. It was seen to leave
    // out documents of an index in which many had been overwritten: 85,210 of 171,075 (3.6.0).
    track_total_hits: true,
    ...(after === null ? {} : { search_after: [kind.format(after)] }),
  };
  const answer = parseJson(await cluster.callText('POST', path, body, { signal }));
  requireWhole(answer, `reading the keys of ${index}`);
  const hits = read(read(answer, 'hits'), 'hits');
  return Array.isArray(hits) ? hits.map((hit) => keyOf(kind, hit)) : [];
}

function keyOf(kind: KeyKind, hit: unknown): Key {
  const sort = read(hit, 'sort');
  return keyFrom(kind, String(Array.isArray(sort) ? sort[0] : sort));
}
