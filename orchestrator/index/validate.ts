import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import { covers, type KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { Clock } from '../clock.ts';
import { ClusterError } from './cluster-error.ts';
import { compareKeys, differ, type KeyDifference, type SeenKeys } from './compare-keys.ts';
import { type AskedCopies, askedCopies } from './copies.ts';
import { countDocuments } from './count-documents.ts';
import type { TargetNames } from './names.ts';
import { verifyBuilt } from './effective/verify-built.ts';
import { requireNothingCut } from './findable/cut-fractions.ts';
import { requireNothingDropped } from './findable/dropped-values.ts';
import { requireAllPlaced } from './placed-rows.ts';
import { rangeQuery } from './range-query.ts';
import { compareSamples, type Difference } from './samples.ts';
import type { SearchCalls } from './search-calls.ts';
import { sideBySide } from '../side-by-side.ts';
import { mostPerPage } from './target-keys.ts';
import { tryAgain } from './try-again.ts';
import type { ValidationSource } from './validation-source.ts';

/** A count may look at every document. */
const COUNT_TIMEOUT_MS = 300_000;

export interface ValidationInput {
  readonly cluster: SearchCalls;
  readonly source: ValidationSource;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly ranges: readonly KeyRange[];
  /** The keys of an earlier validation, to compare field by field. Absent: some are chosen. */
  readonly sampleKeys?: readonly Key[];
  /** Returns false for a range where equal counts are proof enough. Absent: every range is compared by keys. */
  readonly byKeys?: (range: KeyRange) => boolean;
  /** How many ranges are compared at once. For each, the source gets one question at a time. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ValidationResult {
  readonly ok: boolean;
  /** The rows of the base table. If all is well, they are `documents` + `deadLetters` + `filtered`. */
  readonly rows: number;
  readonly filtered: number;
  readonly documents: number;
  readonly deadLetters: number;
  readonly ranges: number;
  /** How many of these ranges were compared key by key. */
  readonly rangesByKeys: number;
  readonly mismatches: readonly Mismatch[];
  readonly samples: { readonly keys: readonly Key[]; readonly differing: readonly Difference[] };
}

export interface Mismatch {
  readonly range: KeyRange;
  readonly expected: number;
  readonly found: number;
  /** Null where only samples differ, in a range that was not compared key by key. */
  readonly keys: KeyDifference | null;
}

/**
 * Compares index and table without asking the workers. Range by range it compares the rows that the definition keeps
 * with the documents and the dead letters, by number and key by key. It also compares some rows field by field. A
 * broken call is tried again. Throws a RunFailed where the table cannot be counted, otherwise a ClusterError or the
 * database's error.
 */
export async function validateTarget(input: ValidationInput): Promise<ValidationResult> {
  await tryAgain(() => verifyBuilt(input.cluster, input.described, input.names.index), input);
  await tryAgain(() => requireNothingDropped(input), input);
  await tryAgain(() => requireAllPlaced(input), input);
  await tryAgain(() => requireNothingCut(input), input);
  const keysPerPage = await tryAgain(() => mostPerPage(input.cluster, input.names.index), input);
  const copies = await tryAgain(() => askedCopies(input.cluster, input.names.index), input);
  const compared = await sideBySide(input.ranges, input.concurrency, async (range) => {
    input.signal.throwIfAborted();
    return tryAgain(() => compareRange({ ...input, copies }, range, keysPerPage), input);
  });
  const samples = await tryAgain(() => compareSamples({ ...input, copies }), input);
  const kind = keyKindOf(input.described.definition);
  const mismatches = compared
    .filter((range) => isOff(range) || samples.differing.some(({ key }) => covers(kind, range.range, key)))
    .map(({ range, kept, documents, deadLetters, keys }) => ({
      range,
      expected: kept,
      found: documents + deadLetters,
      keys,
    }));
  const sum = (pick: (range: ComparedRange) => number): number =>
    compared.reduce((total, range) => total + pick(range), 0);
  return {
    ok: mismatches.length === 0,
    rows: sum(({ rows }) => rows),
    filtered: sum(({ rows, kept }) => rows - kept),
    documents: sum(({ documents }) => documents),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    ranges: compared.length,
    rangesByKeys: sum(({ keys }) => (keys === null ? 0 : 1)),
    mismatches,
    samples,
  };
}

interface ComparedRange {
  readonly range: KeyRange;
  readonly rows: number;
  readonly kept: number;
  readonly documents: number;
  readonly deadLetters: number;
  /** Null where counts were proof enough. */
  readonly keys: KeyDifference | null;
}

/** What is compared, and which copies of the index are asked. */
type Comparing = ValidationInput & { readonly copies: AskedCopies };

async function compareRange(input: Comparing, range: KeyRange, keysPerPage: number): Promise<ComparedRange> {
  const { names, source } = input;
  const { rows, kept } = await source.count(range);
  const documents = await countIn(input, names.index, range);
  const deadLetters = await countIn(input, names.deadLetterIndex, range);
  // Counts do not show a dead letter that also has a document.
  const enough = kept === documents && deadLetters === 0 && input.byKeys?.(range) === false;
  if (enough) return { range, rows, kept, documents, deadLetters, keys: null };
  const { seen, ...keys } = await compareKeys({ ...input, range, keysPerPage });
  requireAllSeen(names, seen, { documents, deadLetters });
  return { range, rows, kept, documents, deadLetters, keys };
}

/**
 * Requires a search to give as many keys as there are documents. Otherwise it says nothing about missing or surplus
 * keys.
 */
function requireAllSeen(names: TargetNames, seen: SeenKeys, counted: SeenKeys): void {
  if (seen.documents === counted.documents && seen.deadLetters === counted.deadLetters) return;
  throw new ClusterError(
    200,
    'incomplete_answer',
    `a search of ${names.index} gave ${seen.documents} keys (and ${seen.deadLetters} dead letters), but a count gave ${counted.documents} (and ${counted.deadLetters}). Somebody writes to the index, or the cluster's answers cannot be relied on. Run the same command again.`,
  );
}

function isOff({ kept, documents, deadLetters, keys }: ComparedRange): boolean {
  return kept !== documents + deadLetters || (keys !== null && differ(keys));
}

function countIn(
  { cluster, described, copies, signal }: Comparing,
  index: string,
  range: KeyRange,
): Promise<number> {
  const query = rangeQuery(described.definition, range);
  return countDocuments(cluster, { index, copies, query }, { signal, timeoutMs: COUNT_TIMEOUT_MS });
}
