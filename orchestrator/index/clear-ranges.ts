import type { DescribedDefinition } from '../../definition/definition.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { runInBackground, TaskFailed } from './background-task.ts';
import { read } from './cluster-error.ts';
import { askedCopies } from './copies.ts';
import { countDocuments } from './count-documents.ts';
import { forgetDeletions } from './forget-deletions.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import type { TargetNames } from './names.ts';
import { rangeQuery } from './range-query.ts';

const REFRESH_TIMEOUT_MS = 6 * 3_600_000;
/** How often a range is emptied until nothing is left of it. Nobody else writes, so the first time is mostly enough. */
const MOST_TRIES = 5;
const PAUSE_MS = 1_000;

export interface Clearing {
  readonly cluster: SearchCalls;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly ranges: readonly KeyRange[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called now and then with what is waited for. */
  readonly onWait?: (words: string) => void;
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

/**
 * Empties a range. Whatever the cluster says of it, the range is empty when nothing is counted there. A conflict means
 * that an earlier clearing was still at work.
 */
async function clearRange(clearing: Clearing, index: string, range: KeyRange): Promise<void> {
  const { cluster, described, clock, signal, onWait } = clearing;
  const keys = `keys ${range.start ?? '…'} to ${range.end ?? '…'} of ${index}`;
  const query = rangeQuery(described.definition, range);
  const task = {
    path: `/${segment(index)}/_delete_by_query?refresh=true&conflicts=proceed`,
    body: { query },
    index,
    action: 'indices:data/write/delete/byquery',
    words: `clearing of ${keys}`,
  };
  for (let tries = 1; ; tries += 1) {
    const answer = await runInBackground(cluster, task, { clock, signal, onWait }).catch((error: unknown) => {
      if (!(error instanceof TaskFailed) || tries === MOST_TRIES) throw error;
      return null;
    });
    const left = await countLeft(clearing, index, query);
    if (left === 0) return;
    if (tries === MOST_TRIES)
      throw new RunFailed(
        `${keys} could not be emptied, ${left} documents are left: ${failureWords(answer)}. Run the same command again.`,
      );
    await clock.sleep(PAUSE_MS, signal);
  }
}

async function countLeft({ cluster, signal }: Clearing, index: string, query: object): Promise<number> {
  await cluster.call('POST', `/${segment(index)}/_refresh`, null, { signal, timeoutMs: REFRESH_TIMEOUT_MS });
  const copies = await askedCopies(cluster, index);
  return countDocuments(cluster, { index, copies, query }, { signal });
}

/** What a `_delete_by_query` says of documents that it could not delete. */
function failureWords(answer: unknown): string {
  const failures = read(answer, 'failures');
  const [first] = Array.isArray(failures) ? failures : [];
  const conflicts = Number(read(answer, 'version_conflicts') ?? 0);
  if (first === undefined) return `the cluster names no failure, and ${conflicts} version conflicts`;
  const cause = read(first, 'cause') ?? read(first, 'reason');
  return `${String(read(cause, 'type'))}: ${String(read(cause, 'reason'))} (document ${String(read(first, 'id'))})`;
}
