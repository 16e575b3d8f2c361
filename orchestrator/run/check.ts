import type { ClientBase } from 'pg';
import { messageOf, RunFailed } from '../errors.ts';
import { preflight } from '../index/preflight.ts';
import type { SourceConnections } from './connections.ts';
import type { CheckedFleet, FleetBackend } from '../fleet/fleet-backend.ts';
import type { Offline } from './offline.ts';

/** What the checks found, where nothing is wrong. */
interface Checked<T> {
  readonly inspected: T;
  readonly fleet: CheckedFleet;
  /** Those of the fleet and of the cluster. */
  readonly warnings: readonly string[];
}

/**
 * Checks everything that a run needs, before anything is created. `inspect` asks the database; the cluster and the
 * fleet are asked at the same time. All faults are named at once.
 *
 * @param underLock see `FleetCheckOptions`
 */
export async function checkAll<T extends { readonly expectedBytes: number | null }>(
  offline: Offline,
  connections: SourceConnections,
  { workers, underLock }: { readonly workers: FleetBackend; readonly underLock: boolean },
  inspect: (client: ClientBase) => Promise<T>,
): Promise<Checked<T>> {
  const inspecting = connections.withSource(inspect);
  const expectedBytes = inspecting.then(
    (plan) => plan.expectedBytes,
    () => null,
  );
  const [inspected, cluster, fleet] = await Promise.allSettled([
    inspecting,
    preflight(connections.cluster, offline.loaded.definition, expectedBytes),
    workers.check({ pin: null, underLock }),
  ]);
  if (inspected.status === 'fulfilled' && cluster.status === 'fulfilled' && fleet.status === 'fulfilled')
    return {
      inspected: inspected.value,
      fleet: fleet.value,
      warnings: [...fleet.value.warnings, ...cluster.value],
    };
  const faults = [inspected, cluster, fleet].flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : [],
  );
  // These faults need the network, so the exit code is 1, though they read like faults in a file.
  throw new RunFailed(eachLineOnce(faults));
}

/** Checks the journal, without which a run cannot take its lock. If it has faults, those of the fleet are named too. */
export async function checkJournal({ checkJournal }: Offline, workers: FleetBackend): Promise<void> {
  try {
    await checkJournal();
  } catch (error) {
    const faults = [messageOf(error)];
    await workers
      .check({ pin: null, underLock: false })
      .catch((other: unknown) => faults.push(messageOf(other)));
    throw new RunFailed(eachLineOnce(faults), { cause: error });
  }
}

/**
 * Removes repeated lines. Journal and fleet ask for the same identity, and a refusal has the same sentence for both.
 */
function eachLineOnce(faults: readonly string[]): string {
  return [...new Set(faults.flatMap((fault) => fault.split('\n')))].join('\n');
}
