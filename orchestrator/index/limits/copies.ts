import type { IndexDefinition } from '../../../definition/definition.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { listOf } from './node-rules.ts';

const AWARENESS = 'cluster.routing.allocation.awareness';

/** Zones that a cluster balances copies over. */
interface BalancedZones {
  readonly attribute: string;
  readonly values: readonly string[];
}

/**
 * Refuses a number of replicas that the cluster refuses. A cluster with `awareness.balance` takes only multiples of its
 * zones as copies of a shard. Source: OpenSearch's documentation, "Replica count enforcement".
 */
export function copiesFaults({ index }: IndexDefinition, facts: ClusterFacts): string[] {
  const zones = balancedZones(facts);
  if (zones === null || (index.numberOfReplicas + 1) % zones.values.length === 0) return [];
  const { attribute, values } = zones;
  const allowed = [1, 2, 3].map((times) => times * values.length - 1);
  return [
    `index.number_of_replicas is ${index.numberOfReplicas}, so each shard has ${index.numberOfReplicas + 1} copies. This cluster balances copies over the ${values.length} values of the attribute "${attribute}" (${values.join(', ')}; ${AWARENESS}.balance), and takes only multiples of ${values.length} copies. Write number_of_replicas: ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}.`,
  ];
}

/** The attribute with the most values. Null where the cluster balances no copies. */
function balancedZones({ settings }: ClusterFacts): BalancedZones | null {
  if (settings.get(`${AWARENESS}.balance`)?.value !== 'true') return null;
  const zones = listOf(settings.get(`${AWARENESS}.attributes`)?.value ?? '').map((attribute) => ({
    attribute,
    values: listOf(settings.get(`${AWARENESS}.force.${attribute}.values`)?.value ?? ''),
  }));
  const [most] = zones.toSorted((a, b) => b.values.length - a.values.length);
  return most === undefined || most.values.length < 2 ? null : most;
}
