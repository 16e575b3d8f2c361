import { z } from 'zod';
import { read } from '../cluster-error.ts';
import { look } from '../look.ts';
import type { SearchCalls } from '../search-calls.ts';
import { DATA_NODES_PATH, type DataNode, dataNodesIn } from './data-node.ts';

/** A setting of the cluster as it works, and where it is set. */
export interface ClusterSetting {
  readonly value: string;
  readonly level: 'defaults' | 'persistent' | 'transient';
}

/** The disk of one data node, in bytes. */
export interface Disk {
  readonly node: string;
  readonly available: number;
  readonly total: number;
}

/** What a cluster says of its limits. Null, or an empty map, where nobody may look. */
export interface ClusterFacts {
  /** By their full names. Those of the nodes' own files are among the defaults. */
  readonly settings: ReadonlyMap<string, ClusterSetting>;
  readonly dataNodes: number | null;
  /** The data nodes themselves. */
  readonly nodes: readonly DataNode[] | null;
  /** The shards of all open indexes, with their replicas. */
  readonly shards: number | null;
  /** Those that have a node. */
  readonly placedShards: number | null;
  readonly disks: readonly Disk[] | null;
}

export interface FactsLook {
  readonly facts: ClusterFacts;
  /** What nobody may look at, in sentences. */
  readonly unseen: readonly string[];
}

/** Asks a cluster for its limits. No answer of these is needed for a run. */
export async function lookAtCluster(cluster: SearchCalls): Promise<FactsLook> {
  const [settings, health, nodes, disks] = await Promise.all([
    look(cluster, '/_cluster/settings?flat_settings=true&include_defaults=true', "the cluster's settings"),
    look(cluster, '/_cluster/health', "the cluster's health"),
    look(cluster, DATA_NODES_PATH, "the cluster's nodes"),
    look(cluster, '/_cat/allocation?format=json&bytes=b', "the disks of the cluster's nodes"),
  ]);
  return {
    facts: {
      settings: settingsIn(settings.answer),
      dataNodes: numberOf(read(health.answer, 'number_of_data_nodes')),
      nodes: dataNodesIn(nodes.answer),
      shards: shardsIn(health.answer, ['active_shards', 'initializing_shards', 'unassigned_shards']),
      placedShards: shardsIn(health.answer, ['active_shards', 'initializing_shards']),
      disks: disks.answer === undefined ? null : disksIn(disks.answer),
    },
    unseen: [settings, health, nodes, disks].flatMap(({ unseen }) => (unseen === null ? [] : [unseen])),
  };
}

const LEVELS = ['defaults', 'persistent', 'transient'] as const;
const levelSchema = z.record(z.string(), z.unknown());

/** The settings as they work: what is transient comes before what is persistent, and that before the nodes' own. */
export function settingsIn(answer: unknown): ReadonlyMap<string, ClusterSetting> {
  const settings = new Map<string, ClusterSetting>();
  for (const level of LEVELS) {
    const found = levelSchema.safeParse(read(answer, level));
    for (const [name, value] of Object.entries(found.data ?? {}))
      settings.set(name, { value: Array.isArray(value) ? value.join(',') : String(value), level });
  }
  return settings;
}

function shardsIn(health: unknown, names: readonly string[]): number | null {
  const parts = names.map((name) => numberOf(read(health, name)));
  return parts.reduce<number | null>((sum, part) => (sum === null || part === null ? null : sum + part), 0);
}

const diskSchema = z.array(
  z.object({
    node: z.string(),
    'disk.avail': z.coerce.number(),
    'disk.total': z.coerce.number(),
  }),
);

/** A node that nobody knows the disk of, and the row of shards without a node, have no figures. */
function disksIn(answer: unknown): Disk[] {
  const rows = Array.isArray(answer) ? answer.filter((row) => Number(read(row, 'disk.total')) > 0) : [];
  return (diskSchema.safeParse(rows).data ?? []).map((row) => ({
    node: row.node,
    available: row['disk.avail'],
    total: row['disk.total'],
  }));
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
