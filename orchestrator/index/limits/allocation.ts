import type { IndexDefinition } from '../../../definition/definition.ts';
import { askedSettings, settingText } from '../mapping.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { nodeRules } from './node-rules.ts';

const ENABLE = 'routing.allocation.enable';

/** Refuses a cluster that gives new shards no place, or none to replicas that the definition waits for. */
export function allocationFaults(definition: IndexDefinition, { settings }: ClusterFacts): string[] {
  const own = askedSettings(definition)[`index.${ENABLE}`];
  const ofCluster = settings.get(`cluster.${ENABLE}`);
  const value = settingText(own ?? ofCluster?.value ?? 'all').toLowerCase();
  const where =
    own === undefined || own === null
      ? `the cluster has the ${ofCluster?.level ?? ''} setting cluster.${ENABLE}: ${value}`
      : `the definition has index.${ENABLE}: ${value}`;
  if (value === 'none')
    return [`${where}, so no shard of a new index finds a place. Set it to all, then run again.`];
  const { numberOfReplicas, health } = definition.index;
  if (value === 'all' || numberOfReplicas === 0 || health !== 'green') return [];
  return [
    `${where}, so replicas find no place. But number_of_replicas is ${numberOfReplicas}, and index.health is green. Set it to all, or write health: yellow.`,
  ];
}

const MOST_NODES = 3;

/** Refuses an index that the rules of index and cluster keep from every data node. */
export function placeFaults(definition: IndexDefinition, facts: ClusterFacts): string[] {
  const { nodes } = facts;
  if (nodes === null || nodes.length === 0) return [];
  const rules = nodeRules(askedSettings(definition), facts);
  const kept = nodes.map((node) => ({
    node,
    by: rules.filter((rule) => !rule.allows(node)).map(({ words }) => words),
  }));
  if (kept.some(({ by }) => by.length === 0)) return [];
  const shown = kept.slice(0, MOST_NODES).map(({ node, by }) => `${node.name} by ${by.join(' and by ')}`);
  return [
    `rules keep the new index from ${nodes.length === 1 ? 'the data node' : `all ${nodes.length} data nodes`}: ${shown.join('; ')}${nodes.length > MOST_NODES ? '; …' : ''}. Mend the rule in the definition's index.settings or in the cluster, or give a node what it asks for.`,
  ];
}

/** Refuses an index whose replicas lack nodes. A replica never shares a node with its primary. */
export function nodeFaults({ index }: IndexDefinition, { dataNodes }: ClusterFacts): string[] {
  if (index.health !== 'green' || dataNodes === null || dataNodes > index.numberOfReplicas) return [];
  return [
    `index.health is green and number_of_replicas is ${index.numberOfReplicas}. That needs ${index.numberOfReplicas + 1} data nodes, but the cluster has ${dataNodes}. Write number_of_replicas: ${dataNodes - 1}, or health: yellow.`,
  ];
}

const BLOCKS = [
  'cluster.blocks.read_only',
  'cluster.blocks.read_only_allow_delete',
  'cluster.blocks.create_index',
  'cluster.blocks.create_index.enable',
];

/** Refuses a cluster with a read-only setting, because no index can be created there. */
export function blockFaults({ settings }: ClusterFacts, where: string): string[] {
  return BLOCKS.flatMap((block) => {
    const setting = settings.get(block);
    if (setting?.value !== 'true') return [];
    return [`the cluster at ${where} has the ${setting.level} setting ${block}: remove this setting first`];
  });
}
