import type { IndexDefinition } from '../../../definition/definition.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { millisecondsOf } from './units.ts';

const MINIMUM = 'cluster.minimum.index.refresh_interval';

/**
 * Refuses a refresh interval that the cluster refuses. A build itself refreshes never (-1), which every cluster allows.
 * Source: OpenSearch's documentation, "Cluster-level index settings".
 */
export function refreshFaults({ index }: IndexDefinition, { settings }: ClusterFacts): string[] {
  const minimum = settings.get(MINIMUM)?.value;
  const [leastMs, wantedMs] = [minimum ?? '', index.refreshInterval].map(millisecondsOf);
  if (typeof leastMs !== 'number' || typeof wantedMs !== 'number') return [];
  if (wantedMs < 0 || wantedMs >= leastMs) return [];
  return [
    `index.refresh_interval is ${index.refreshInterval}, but this cluster allows none below ${minimum} (${MINIMUM}). Write refresh_interval: ${minimum}, or more.`,
  ];
}
