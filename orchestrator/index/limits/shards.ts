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
 *
 * @param claims the shards of the alias's index of claims, if the run creates it
 */
export function shardFaults(definition: IndexDefinition, facts: ClusterFacts, claims = 0): string[] {
  return [
    ...openShardFaults(definition, facts, claims),
    ...placedShardFaults(definition, facts, claims),
    ...perNodeFaults(definition, facts),
  ];
}

function openShardFaults(
  definition: IndexDefinition,
  { settings, shards, dataNodes }: ClusterFacts,
  claims: number,
): string[] {
  // Then indexes whose names begin with a dot do not count, and nobody says how many shards these have.
  if (settings.get('cluster.ignore_dot_indexes')?.value === 'true') return [];
  if (shards === null || dataNodes === null) return [];
  const limits: ShardLimit[] = [
    { setting: 'cluster.max_shards_per_node', factor: dataNodes },
    { setting: 'cluster.routing.allocation.total_shards_limit', factor: 1 },
  ].flatMap(({ setting, factor }) => {
    const value = Number(settings.get(setting)?.value ?? Number.NaN);
    return value > 0 ? [{ setting, most: value * factor }] : [];
  });
  const wanted = wantedShards(definition);
  return limits
    .filter(({ most }) => shards + wanted.total + claims > most)
    .map(
      ({ setting, most }) =>
        `the new index and its companion for dead letters have ${wanted.total} shards with their replicas${claimWords(claims)}, and the cluster has ${shards} of at most ${most} (${setting}, ${nodeWords(dataNodes)}). Delete indexes, lower number_of_replicas or number_of_shards, or raise the limit.`,
    );
}

/** A limit on shards that have a node. Replicas that the definition does not wait for may stay without one. */
function placedShardFaults(
  definition: IndexDefinition,
  { settings, placedShards, dataNodes }: ClusterFacts,
  claims: number,
): string[] {
  const setting = 'cluster.routing.allocation.total_shards_per_node';
  const perNode = Number(settings.get(setting)?.value ?? Number.NaN);
  if (placedShards === null || dataNodes === null || !(perNode > 0)) return [];
  const { primaries, copies } = wantedShards(definition);
  const needed = primaries * (definition.index.health === 'green' ? copies : 1);
  const most = perNode * dataNodes;
  if (placedShards + needed + Math.min(claims, 1) <= most) return [];
  return [
    `the new index and its companion for dead letters need places for ${needed} shards${claimWords(Math.min(claims, 1))}, and the nodes hold ${placedShards} of at most ${most} (${setting}, ${nodeWords(dataNodes)}). Delete indexes, lower number_of_replicas or number_of_shards, or raise the limit.`,
  ];
}

function claimWords(claims: number): string {
  return claims === 0 ? '' : `, the index of the alias's claims ${claims}`;
}

function nodeWords(dataNodes: number): string {
  return dataNodes === 1 ? '1 data node' : `${dataNodes} data nodes`;
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
    `${setting} is ${most}, so ${nodeWords(dataNodes)} can hold ${most * dataNodes} of the ${placed} shards of the new index. Raise it, or lower number_of_shards or number_of_replicas.`,
  ];
}

function wantedShards(definition: IndexDefinition): WantedShards {
  const asked = Number(askedSettings(definition)['index.number_of_shards'] ?? 1);
  const primaries = (Number.isInteger(asked) ? asked : 1) + 1;
  const copies = definition.index.numberOfReplicas + 1;
  return { primaries, copies, total: primaries * copies };
}
