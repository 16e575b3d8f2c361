import type { ClientBase } from 'pg';
import { messageOf, RunFailed } from '../errors.ts';
import { preflight } from '../index/preflight.ts';
import type { SourceConnections } from './connections.ts';
import type { Offline } from './offline.ts';

/**
 * Holds a definition against database and cluster before anything is created. `inspect` asks the database; the
 * cluster is asked at the same time. Every fault of both is named at once.
 */
export async function checkBoth<T>(
  offline: Offline,
  connections: SourceConnections,
  inspect: (client: ClientBase) => Promise<T>,
): Promise<T> {
  const [inspected, cluster] = await Promise.allSettled([
    connections.withSource(inspect),
    preflight(connections.cluster, offline.loaded.definition),
  ]);
  if (inspected.status === 'fulfilled' && cluster.status === 'fulfilled') return inspected.value;
  const faults = [inspected, cluster].flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : [],
  );
  // Found over the network: exit 1, though the words are those of faults in a file.
  throw new RunFailed(faults.join('\n'));
}
