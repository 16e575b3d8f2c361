import { read } from './cluster-error.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import { requireWhole } from './whole-answer.ts';

/** Counts all documents of an index, as its primary shards have them. */
export async function countIndex(cluster: SearchCalls, index: string, signal: AbortSignal): Promise<number> {
  const answer = await cluster.call('GET', `/${segment(index)}/_count?preference=_primary`, null, { signal });
  requireWhole(answer, `counting ${index}`);
  return Number(read(answer, 'count'));
}
