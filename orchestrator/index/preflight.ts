import type { IndexDefinition } from '../../definition/definition.ts';
import { RunFailed, messageOf } from '../errors.ts';
import { read } from './cluster-error.ts';
import type { SearchCalls } from './search-calls.ts';

/** Checks the cluster for a run, without creating anything. All faults are named at once. */
export async function preflight(cluster: SearchCalls, definition: IndexDefinition): Promise<void> {
  const checks = await Promise.allSettled([
    refuseConcreteIndex(cluster, definition.alias),
    refuseBlockedCluster(cluster),
    requirePipeline(cluster, definition.pipeline),
    requireNodes(cluster, definition),
  ]);
  const faults = checks.flatMap((check) => (check.status === 'rejected' ? [messageOf(check.reason)] : []));
  if (faults.length > 0) throw new RunFailed(faults.join('\n'));
}

/** Refuses a name that no alias can have, because an index or a data stream has it. */
async function refuseConcreteIndex(cluster: SearchCalls, alias: string): Promise<void> {
  const there = await cluster.callOrNull('GET', `/${encodeURIComponent(alias)}`);
  if (read(there, alias) !== undefined)
    throw new RunFailed(
      `${alias} is an index, not an alias, so no alias can have this name. Give the index another name (reindex it and delete this one), or choose another alias.`,
    );
  const streams = backingIndexes(there, alias);
  if (streams.length === 0) return;
  throw new RunFailed(
    `${alias} is a data stream or the alias of one (${streams.join(', ')}), and a data stream cannot be rebuilt: choose another alias.`,
  );
}

/** The indexes behind a name that do not have it as an alias themselves. Those of a data stream do not. */
function backingIndexes(there: unknown, alias: string): string[] {
  if (typeof there !== 'object' || there === null) return [];
  return Object.entries(there).flatMap(([index, entry]) =>
    read(read(entry, 'aliases'), alias) === undefined ? [index] : [],
  );
}

/** Refuses a cluster with a read-only setting, because no index can be created there. */
async function refuseBlockedCluster(cluster: SearchCalls): Promise<void> {
  const settings = await cluster.call('GET', '/_cluster/settings?flat_settings=true');
  for (const level of ['persistent', 'transient']) {
    for (const block of [
      'cluster.blocks.read_only',
      'cluster.blocks.create_index',
      'cluster.blocks.create_index.enable',
    ]) {
      const value = read(read(settings, level), block);
      if (value === 'true' || value === true)
        throw new RunFailed(
          `the cluster at ${cluster.where} has the ${level} setting ${block}: remove this setting first`,
        );
    }
  }
}

/** Requires enough nodes. A replica never shares a node with its primary, so a small cluster may never become green. */
async function requireNodes(cluster: SearchCalls, { index }: IndexDefinition): Promise<void> {
  if (index.health !== 'green') return;
  const nodes = read(await cluster.call('GET', '/_cluster/health'), 'number_of_data_nodes');
  if (typeof nodes !== 'number' || nodes > index.numberOfReplicas) return;
  throw new RunFailed(
    `index.health is green and number_of_replicas is ${index.numberOfReplicas}. That needs ${index.numberOfReplicas + 1} data nodes, but the cluster has ${nodes}. Write number_of_replicas: ${nodes - 1}, or health: yellow.`,
  );
}

async function requirePipeline(cluster: SearchCalls, pipeline: string | null): Promise<void> {
  if (pipeline === null) return;
  const there = await cluster.callOrNull('GET', `/_ingest/pipeline/${encodeURIComponent(pipeline)}`);
  if (read(there, pipeline) === undefined)
    throw new RunFailed(
      `the cluster has no ingest pipeline ${pipeline}: create it, or correct "pipeline" in the definition`,
    );
}
