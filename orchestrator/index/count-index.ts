import { askedCopies } from './copies.ts';
import { countDocuments } from './count-documents.ts';
import type { SearchCalls } from './search-calls.ts';

/** Counts all documents of an index. */
export async function countIndex(cluster: SearchCalls, index: string, signal: AbortSignal): Promise<number> {
  const copies = await askedCopies(cluster, index);
  return countDocuments(cluster, { index, copies, query: { match_all: {} } }, { signal });
}
