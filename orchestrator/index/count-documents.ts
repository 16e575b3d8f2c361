import { read } from './cluster-error.ts';
import { type AskedCopies, askedOf } from './copies.ts';
import { type CallOptions, type SearchCalls, segment } from './search-calls.ts';
import { requireWhole } from './whole-answer.ts';

export interface Counted {
  readonly index: string;
  /** Which copies are asked, see `askedCopies`. */
  readonly copies: AskedCopies;
  /** Only documents that this query finds. */
  readonly query: object;
}

/** Counts documents of an index. Throws a ClusterError where a shard does not answer. */
export async function countDocuments(
  cluster: Pick<SearchCalls, 'call'>,
  { index, copies, query }: Counted,
  options: CallOptions,
): Promise<number> {
  const path = askedOf(copies, `/${segment(index)}/_count`);
  const answer = await cluster.call('POST', path, { query }, options);
  requireWhole(answer, `counting ${index}`);
  return Number(read(answer, 'count'));
}
