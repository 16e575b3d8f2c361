import type { DescribedDefinition, KeyRange } from '../../definition/definition.ts';
import { RunFailed } from '../errors.ts';
import { read } from './cluster-error.ts';
import { compareKeys } from './compare-keys.ts';
import type { TargetNames } from './names.ts';
import { rangeQuery } from './range-query.ts';
import { compareSamples, type Difference } from './samples.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import type { ValidationSource } from './validation-source.ts';

export interface ValidationInput {
  readonly cluster: SearchCalls;
  readonly source: ValidationSource;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly ranges: readonly KeyRange[];
  /** Keys to compare field by field, of an earlier validation; absent: some are chosen. */
  readonly sampleKeys?: readonly bigint[];
  /** Ranges that were read more than once: a lost row and a surplus one could hide each other in a count. */
  readonly byKeys?: (range: KeyRange) => boolean;
  readonly signal: AbortSignal;
}

export interface ValidationResult {
  readonly ok: boolean;
  /** Rows of the base table; `documents` + `deadLetters` + `filtered` of them where all is well. */
  readonly rows: number;
  readonly filtered: number;
  readonly documents: number;
  readonly deadLetters: number;
  readonly ranges: number;
  readonly mismatches: readonly Mismatch[];
  readonly samples: { readonly keys: readonly bigint[]; readonly differing: readonly Difference[] };
}

export interface Mismatch {
  readonly range: KeyRange;
  readonly expected: number;
  readonly found: number;
}

/**
 * Compares index and table without asking the workers: range by range the rows that the definition keeps against the
 * documents plus the dead letters, by keys where a range was read more than once; and some rows field by field.
 */
export async function validateTarget(input: ValidationInput): Promise<ValidationResult> {
  const counts: RangeCounts[] = [];
  for (const range of input.ranges) {
    input.signal.throwIfAborted();
    const [source, target] = await Promise.all([input.source.count(range), countTarget(input, range)]);
    const keysDiffer = input.byKeys?.(range) === true && (await differByKeys(input, range));
    counts.push({ range, ...source, ...target, keysDiffer });
  }
  const samples = await compareSamples(input);
  const mismatches = counts
    .filter((count) => isOff(count) || samples.differing.some(({ key }) => isIn(key, count.range)))
    .map(({ range, kept, documents, deadLetters }) => ({
      range,
      expected: kept,
      found: documents + deadLetters,
    }));
  const sum = (pick: (count: RangeCounts) => number): number =>
    counts.reduce((total, count) => total + pick(count), 0);
  return {
    ok: mismatches.length === 0,
    rows: sum(({ rows }) => rows),
    filtered: sum(({ rows, kept }) => rows - kept),
    documents: sum(({ documents }) => documents),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    ranges: counts.length,
    mismatches,
    samples,
  };
}

interface RangeCounts {
  readonly range: KeyRange;
  readonly rows: number;
  readonly kept: number;
  readonly documents: number;
  readonly deadLetters: number;
  /** Dead letters of which a document stands: of two readings of a row one is stale, and nobody knows which. */
  readonly both: number;
  readonly keysDiffer: boolean;
}

function isOff({ kept, documents, deadLetters, both, keysDiffer }: RangeCounts): boolean {
  return kept !== documents + deadLetters || both > 0 || keysDiffer;
}

async function differByKeys(input: ValidationInput, range: KeyRange): Promise<boolean> {
  const { missing, surplus } = await compareKeys({ ...input, range });
  return missing.count > 0 || surplus.count > 0;
}

async function countTarget(
  input: ValidationInput,
  range: KeyRange,
): Promise<{ documents: number; deadLetters: number; both: number }> {
  const { names } = input;
  const [documents, deadLetters] = await Promise.all([
    countDocuments(input, names.index, range),
    countDocuments(input, names.deadLetterIndex, range),
  ]);
  return { documents, deadLetters, both: deadLetters === 0 ? 0 : await countBoth(input, range) };
}

/** A count in which a shard failed is no count. */
async function countDocuments(
  { cluster, described, signal }: ValidationInput,
  index: string,
  range: KeyRange,
): Promise<number> {
  const query = rangeQuery(described.definition.source.key, range);
  const answer = await cluster.call(
    'POST',
    `/${segment(index)}/_count`,
    { query },
    { signal, timeoutMs: 300_000 },
  );
  const failed = read(read(answer, '_shards'), 'failed');
  const count = read(answer, 'count');
  if (failed !== 0 || typeof count !== 'number')
    throw new RunFailed(
      `counting ${index} failed on ${String(failed)} shards: look at the cluster's health and run the same command again`,
    );
  return count;
}

/** What one search gives at most; of more dead letters in one range these many are looked at. */
const MOST_DEAD_LETTERS = 10_000;

/** Keys that have a dead letter and a document. */
async function countBoth(
  { cluster, described, names, signal }: ValidationInput,
  range: KeyRange,
): Promise<number> {
  const query = rangeQuery(described.definition.source.key, range);
  const found = await cluster.call(
    'POST',
    `/${segment(names.deadLetterIndex)}/_search`,
    { query, size: MOST_DEAD_LETTERS, _source: false },
    { signal },
  );
  const hits = read(read(found, 'hits'), 'hits');
  const ids = Array.isArray(hits) ? hits.map((hit) => String(read(hit, '_id'))) : [];
  const answer = await cluster.call(
    'POST',
    `/${segment(names.index)}/_mget?_source=false`,
    { ids },
    { signal },
  );
  const docs = read(answer, 'docs');
  return Array.isArray(docs) ? docs.filter((doc) => read(doc, 'found') === true).length : 0;
}

function isIn(key: bigint, { start, end }: KeyRange): boolean {
  return (start === null || key >= start) && (end === null || key < end);
}
