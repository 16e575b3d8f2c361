import type { IndexDefinition } from '../../definition/definition.ts';
import { RunFailed, messageOf } from '../errors.ts';
import { read } from './cluster-error.ts';
import type { SearchCalls } from './search-calls.ts';

/** What can be found out without creating anything; every fault is named at once. */
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

async function refuseConcreteIndex(cluster: SearchCalls, alias: string): Promise<void> {
  const there = await cluster.callOrNull('GET', `/${encodeURIComponent(alias)}`);
  if (read(there, alias) === undefined) return;
  throw new RunFailed(
    `${alias} is a concrete index, not an alias: an alias of that name cannot be made. Rename it (reindex it under another name and delete it), or choose another alias.`,
  );
}

/** A cluster-wide read-only setting refuses every index that would be created. */
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
          `the cluster at ${cluster.where} has the ${level} setting ${block}: lift it first`,
        );
    }
  }
}

/** A replica never lies on its primary's node, so a small cluster can never be as green as the definition asks. */
async function requireNodes(cluster: SearchCalls, { index }: IndexDefinition): Promise<void> {
  if (index.health !== 'green') return;
  const nodes = read(await cluster.call('GET', '/_cluster/health'), 'number_of_data_nodes');
  if (typeof nodes !== 'number' || nodes > index.numberOfReplicas) return;
  throw new RunFailed(
    `index.health is green and number_of_replicas ${index.numberOfReplicas}, which needs ${index.numberOfReplicas + 1} data nodes; the cluster has ${nodes}. Write number_of_replicas: ${nodes - 1}, or health: yellow.`,
  );
}

async function requirePipeline(cluster: SearchCalls, pipeline: string | null): Promise<void> {
  if (pipeline === null) return;
  const there = await cluster.callOrNull('GET', `/_ingest/pipeline/${encodeURIComponent(pipeline)}`);
  if (read(there, pipeline) === undefined)
    throw new RunFailed(
      `the cluster has no ingest pipeline ${pipeline}: create it, or mend "pipeline" of the definition`,
    );
}
