import { ClusterError, read } from './cluster-error.ts';
import { type SearchCalls, segment } from './search-calls.ts';

/** A message must not wait for a cluster for long. */
const WAITING_TIMEOUT_MS = 5_000;

/**
 * Names a row that became a dead letter, with its type and reason, and says where all of them are. A message that
 * refuses rows then shows at once what is wrong with them. If the cluster does not give one, only the place is named.
 */
export async function deadLetterWords(cluster: SearchCalls, deadLetterIndex: string): Promise<string> {
  const place = `Look at the rows with GET /${deadLetterIndex}/_search.`;
  const options = { waitingTimeoutMs: WAITING_TIMEOUT_MS };
  const path = `/${segment(deadLetterIndex)}`;
  try {
    await cluster.call('POST', `${path}/_refresh`, null, options);
    const body = { size: 1, _source: ['type', 'reason'] };
    const answer = await cluster.call('POST', `${path}/_search`, body, options);
    const hits = read(read(answer, 'hits'), 'hits');
    const hit: unknown = Array.isArray(hits) ? hits[0] : undefined;
    const [type, reason] = ['type', 'reason'].map((name) => read(read(hit, '_source'), name));
    if (typeof type !== 'string' || typeof reason !== 'string') return place;
    return `One of them is the row of key ${String(read(hit, '_id'))}: ${type}: ${reason}\n${place}`;
  } catch (error) {
    if (error instanceof ClusterError) return place;
    throw error;
  }
}
