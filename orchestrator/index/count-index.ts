import { read } from './cluster-error.ts';
import { askedCopies, askedOf } from './copies.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import { requireWhole } from './whole-answer.ts';

/** Counts all documents of an index, as its primary shards have them. */
export async function countIndex(cluster: SearchCalls, index: string, signal: AbortSignal): Promise<number> {
  const path = askedOf(await askedCopies(cluster, index), `/${segment(index)}/_count`);
  const answer = await cluster.call('GET', path, null, { signal });
  requireWhole(answer, `counting ${index}`);
  return Number(read(answer, 'count'));
}
