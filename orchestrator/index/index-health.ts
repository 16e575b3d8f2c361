import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError, read } from './cluster-error.ts';
import { describeIndex } from './index-meta.ts';
import { isUnseen } from './look.ts';
import { type SearchCalls, segment } from './search-calls.ts';

export interface IndexHealth {
  /** `red` also when it is not known within the wait. */
  readonly status: 'red' | 'yellow' | 'green';
  /** The shards without a node. Null when not known. */
  readonly unassigned: number | null;
}

export interface HealthOptions {
  /** How long to wait for yellow. 0: not at all. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

const PAUSE_MS = 500;

/**
 * The health of indexes, the worst of all. `_cluster/health` needs a privilege on the whole cluster. Whoever lacks it
 * learns the same from where the copies of the shards are, which needs a right on these indexes only.
 */
export async function indexHealth(
  cluster: SearchCalls,
  indexes: readonly string[],
  options: HealthOptions,
): Promise<IndexHealth> {
  try {
    return await clusterHealth(cluster, indexes, options);
  } catch (error) {
    if (!isUnseen(error)) throw error;
    return healthOfCopies(cluster, indexes, options);
  }
}

async function clusterHealth(
  cluster: SearchCalls,
  indexes: readonly string[],
  { waitMs, signal }: HealthOptions,
): Promise<IndexHealth> {
  const wait = waitMs === 0 ? '' : `?wait_for_status=yellow&timeout=${waitMs}ms`;
  const path = `/_cluster/health/${indexes.map(segment).join(',')}${wait}`;
  try {
    const health = await cluster.call('GET', path, null, {
      ...(waitMs === 0 ? {} : { timeoutMs: 2 * waitMs }),
      ...(signal === undefined ? {} : { signal }),
    });
    const unassigned = read(health, 'unassigned_shards');
    return {
      status: statusOf(read(health, 'status')),
      unassigned: typeof unassigned === 'number' ? unassigned : null,
    };
  } catch (error) {
    if (error instanceof ClusterError && error.status === 408) return { status: 'red', unassigned: null };
    throw error;
  }
}

function statusOf(status: unknown): IndexHealth['status'] {
  return status === 'green' || status === 'yellow' ? status : 'red';
}

async function healthOfCopies(
  cluster: SearchCalls,
  indexes: readonly string[],
  { waitMs, signal }: HealthOptions,
): Promise<IndexHealth> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const copies = await Promise.all(indexes.map((index) => copiesOf(cluster, index, signal)));
    const unassigned = copies.reduce((sum, each) => sum + each.wanted - each.started, 0);
    const isRed = copies.some((each) => each.startedPrimaries < each.primaries);
    if (!isRed) return { status: unassigned > 0 ? 'yellow' : 'green', unassigned };
    if (performance.now() >= endMs) return { status: 'red', unassigned };
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

interface Copies {
  readonly primaries: number;
  readonly startedPrimaries: number;
  /** All copies, whether they have a node or not. */
  readonly wanted: number;
  readonly started: number;
}

/** Only copies that have a node answer for themselves. */
async function copiesOf(
  cluster: SearchCalls,
  index: string,
  signal: AbortSignal | undefined,
): Promise<Copies> {
  const settings = (await describeIndex(cluster, index))?.settings ?? {};
  const primaries = Number(settings['index.number_of_shards'] ?? 1);
  const path = `/${segment(index)}/_stats/docs?level=shards`;
  const answer = await cluster.call('GET', path, null, signal === undefined ? {} : { signal });
  const shards = read(read(read(answer, 'indices'), index), 'shards');
  const routings = Object.values(typeof shards === 'object' && shards !== null ? shards : {})
    .flat()
    .map((copy: unknown) => read(copy, 'routing'))
    .filter((routing) => read(routing, 'state') === 'STARTED');
  return {
    primaries,
    startedPrimaries: routings.filter((routing) => read(routing, 'primary') === true).length,
    wanted: primaries * (Number(settings['index.number_of_replicas'] ?? 0) + 1),
    started: routings.length,
  };
}
