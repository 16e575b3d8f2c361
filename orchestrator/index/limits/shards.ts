import type { IndexDefinition } from '../../../definition/definition.ts';
import { askedSettings } from '../mapping.ts';
import type { ClusterFacts } from './cluster-facts.ts';

/** What a run adds to the cluster. */
interface WantedShards {
  /** Those of the new index, and one of its companion for dead letters. */
  readonly primaries: number;
  readonly copies: number;
  readonly total: number;
}

interface ShardLimit {
  readonly setting: string;
  readonly most: number;
}

/**
 * Refuses what would go over the cluster's limits on shards when the index has its replicas. The indexes that are there
 * stay until the alias has moved, so they count. Source: the documentation of both products, "Cluster shard limits".
 */
export function shardFaults(definition: IndexDefinition, facts: ClusterFacts): string[] {
  return [...openShardFaults(definition, facts), ...perNodeFaults(definition, facts)];
}

function openShardFaults(
  definition: IndexDefinition,
  { settings, shards, dataNodes }: ClusterFacts,
): string[] {
  // Then indexes whose names begin with a dot do not count, and nobody says how many shards these have.
  if (settings.get('cluster.ignore_dot_indexes')?.value === 'true') return [];
  if (shards === null || dataNodes === null) return [];
  const limits: ShardLimit[] = [
    { setting: 'cluster.max_shards_per_node', factor: dataNodes },
    { setting: 'cluster.routing.allocation.total_shards_limit', factor: 1 },
    { setting: 'cluster.routing.allocation.total_shards_per_node', factor: dataNodes },
  ].flatMap(({ setting, factor }) => {
    const value = Number(settings.get(setting)?.value ?? Number.NaN);
    return value > 0 ? [{ setting, most: value * factor }] : [];
  });
  const wanted = wantedShards(definition);
  return limits
    .filter(({ most }) => shards + wanted.total > most)
    .map(
      ({ setting, most }) =>
        `the new index and its companion for dead letters have ${wanted.total} shards with their replicas, and the cluster has ${shards} of at most ${most} (${setting}, ${dataNodes} data nodes). Delete indexes, lower number_of_replicas or number_of_shards, or raise the limit.`,
    );
}

/** A limit of the index itself that leaves shards without a node. */
function perNodeFaults(definition: IndexDefinition, { dataNodes }: ClusterFacts): string[] {
  const setting = 'index.routing.allocation.total_shards_per_node';
  const most = Number(askedSettings(definition)[setting] ?? Number.NaN);
  if (dataNodes === null || !(most > 0)) return [];
  const { primaries, copies } = wantedShards(definition);
  const placed = (primaries - 1) * (definition.index.health === 'green' ? copies : 1);
  if (placed <= most * dataNodes) return [];
  return [
    `${setting} is ${most}, so the ${dataNodes} data nodes take ${most * dataNodes} of the ${placed} shards of the new index. Raise it, or lower number_of_shards or number_of_replicas.`,
  ];
}

function wantedShards(definition: IndexDefinition): WantedShards {
  const asked = Number(askedSettings(definition)['index.number_of_shards'] ?? 1);
  const primaries = (Number.isInteger(asked) ? asked : 1) + 1;
  const copies = definition.index.numberOfReplicas + 1;
  return { primaries, copies, total: primaries * copies };
}
