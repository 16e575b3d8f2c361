import type { Clock } from '../clock.ts';
import { type SearchCalls, segment } from './search-calls.ts';

/** A refresh takes as long as the index is large. */
const REFRESH_TIMEOUT_MS = 6 * 3_600_000;
const FORGET_AFTER_MS = 1_000;

/**
 * Deletes documents of an index that nobody reads or writes, and lets the index forget the deletions. With external
 * versions, a remembered deletion would refuse a row that is read again. `gc_deletes` is 0 meanwhile, and the refresh
 * that forgets comes when the engine's clock has certainly moved on. That clock stands still for up to 200 ms
 * (`thread_pool.estimated_time_interval`).
 */
export async function forgetDeletions(
  { cluster, clock, signal }: { cluster: SearchCalls; clock: Clock; signal: AbortSignal },
  index: string,
  deleteSome: () => Promise<void>,
): Promise<void> {
  const path = `/${segment(index)}`;
  await cluster.call('PUT', `${path}/_settings`, { index: { gc_deletes: '0s' } }, { signal });
  await deleteSome();
  await clock.sleep(FORGET_AFTER_MS, signal);
  await cluster.call('POST', `${path}/_refresh`, null, { signal, timeoutMs: REFRESH_TIMEOUT_MS });
  await cluster.call('PUT', `${path}/_settings`, { index: { gc_deletes: null } }, { signal });
}
