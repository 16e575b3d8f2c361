import type { DescribedDefinition } from '../../definition/definition.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { read } from './cluster-error.ts';
import { forgetDeletions } from './forget-deletions.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import type { TargetNames } from './names.ts';
import { rangeQuery } from './range-query.ts';

/** Deleting takes as long as the ranges are large. */
const LONG_CALL_MS = 6 * 3_600_000;

export interface Clearing {
  readonly cluster: SearchCalls;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly ranges: readonly KeyRange[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Empties key ranges of a target that nobody reads or writes, with their dead letters. A range that is read again then
 * starts with nothing. No row that has left the table stays, and no document of a row that is a dead letter now.
 */
export async function clearRanges(clearing: Clearing): Promise<void> {
  const { names, ranges } = clearing;
  for (const index of [names.index, names.deadLetterIndex])
    await forgetDeletions(clearing, index, async () => {
      for (const range of ranges) await clearRange(clearing, index, range);
    });
}

async function clearRange(
  { cluster, described, signal }: Clearing,
  index: string,
  range: KeyRange,
): Promise<void> {
  const query = rangeQuery(described.definition, range);
  const path = `/${segment(index)}/_delete_by_query?refresh=true`;
  const answer = await cluster.call('POST', path, { query }, { signal, timeoutMs: LONG_CALL_MS });
  const failures = read(answer, 'failures');
  if (Array.isArray(failures) && failures.length === 0) return;
  throw new RunFailed(
    `keys ${range.start ?? '…'} to ${range.end ?? '…'} of ${index} could not be emptied; run the same command again: ${JSON.stringify(failures)}`,
  );
}
