import { settingText } from '../mapping.ts';
import { matchesPattern } from '../wildcard.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import type { DataNode } from './data-node.ts';

/** A rule that keeps a shard from some nodes. */
export interface NodeRule {
  /** As a person reads it, with where it is set. */
  readonly words: string;
  allows(node: DataNode): boolean;
}

const AWARENESS = 'cluster.routing.allocation.awareness.attributes';

/**
 * The rules that decide which nodes may hold a shard of an index: filters of the index and of the cluster, and attributes
 * that copies are spread over. Source: the documentation of both products, "Shard allocation filtering" and "Shard
 * allocation awareness".
 *
 * @param own the settings of the index by their full names
 */
export function nodeRules(
  own: Readonly<Record<string, unknown>>,
  { settings }: Pick<ClusterFacts, 'settings'>,
): NodeRule[] {
  const ofCluster = [...settings].flatMap(([name, { value }]) => filterRules('cluster', name, value));
  const ofIndex = Object.entries(own).flatMap(([name, value]) => filterRules('index', name, value));
  return [...together(ofIndex), ...together(ofCluster), ...awarenessRules(settings.get(AWARENESS)?.value)];
}

interface Filter {
  readonly kind: string;
  readonly attribute: string;
  readonly patterns: readonly string[];
  readonly words: string;
}

/** A tier is a role, and not an attribute of a node. */
const FILTER = /^(index|cluster)\.routing\.allocation\.(require|include|exclude)\.(?!_tier)(.+)$/;

function filterRules(level: 'index' | 'cluster', name: string, value: unknown): Filter[] {
  const [, where, kind = '', attribute = ''] = FILTER.exec(name) ?? [];
  if (where !== level || value === null || value === undefined) return [];
  const patterns = listOf(settingText(value));
  return patterns.length === 0
    ? []
    : [{ kind, attribute, patterns, words: `${name}: ${settingText(value)}` }];
}

/** A node needs one match of all that is included, every match that is required, and none that is excluded. */
function together(filters: readonly Filter[]): NodeRule[] {
  const included = filters.filter(({ kind }) => kind === 'include');
  return [
    ...(included.length === 0
      ? []
      : [
          {
            words: included.map(({ words }) => words).join(' or '),
            allows: (node: DataNode) => included.some((filter) => matchesAny(node, filter)),
          },
        ]),
    ...filters
      .filter(({ kind }) => kind !== 'include')
      .map(({ kind, words, ...filter }) => ({
        words,
        allows: (node: DataNode) =>
          kind === 'exclude'
            ? !matchesAny(node, filter)
            : filter.patterns.every((pattern) => matches(node, filter.attribute, pattern)),
      })),
  ];
}

/** A node without an attribute that copies are spread over holds no shard. */
function awarenessRules(attributes: string | undefined): NodeRule[] {
  return listOf(attributes ?? '').map((attribute) => ({
    words: `${AWARENESS}: ${attribute}, which the node does not have`,
    allows: (node) => attribute in node.attributes,
  }));
}

function matchesAny(
  node: DataNode,
  { attribute, patterns }: Pick<Filter, 'attribute' | 'patterns'>,
): boolean {
  return patterns.some((pattern) => matches(node, attribute, pattern));
}

function matches(node: DataNode, attribute: string, pattern: string): boolean {
  return valuesOf(node, attribute).some((value) => matchesPattern(value, pattern));
}

function valuesOf(node: DataNode, attribute: string): readonly string[] {
  if (attribute === '_name' || attribute === 'name') return [node.name];
  if (attribute === '_id') return [node.id];
  if (attribute === '_host') return [node.host, node.ip];
  if (/^_(host_|publish_)?ip$/.test(attribute)) return [node.ip];
  const value = node.attributes[attribute];
  return value === undefined ? [] : [value];
}

/** A list as a setting writes it: `a,b`, or `[a, b]`. */
export function listOf(value: string): string[] {
  return value
    .replaceAll(/[[\]"]/g, '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
