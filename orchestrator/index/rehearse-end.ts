import type { IndexDefinition } from '../../definition/definition.ts';
import { RunFailed } from '../errors.ts';
import { ClusterError } from './cluster-error.ts';
import { withLeastReplicas } from './least-replicas.ts';
import type { TargetNames } from './names.ts';
import { type SearchCalls, segment } from './search-calls.ts';

/**
 * Gives the new and empty indexes the settings that they get when everything has been read, and then those of a build
 * again. So a limit that the cluster sets for everybody is met before a worker is launched, whichever it is, and by users
 * too who may not see the cluster's settings.
 *
 * @throws RunFailed with the cluster's words when it refuses the settings
 */
export async function rehearseEnd(
  cluster: SearchCalls,
  names: TargetNames,
  { index }: IndexDefinition,
): Promise<void> {
  const path = `/${segment(names.index)},${segment(names.deadLetterIndex)}/_settings`;
  const wanted = {
    number_of_replicas: String(index.numberOfReplicas),
    refresh_interval: index.refreshInterval,
  };
  try {
    await cluster.call('PUT', path, { index: wanted });
  } catch (error) {
    if (!(error instanceof ClusterError) || error.status < 400 || error.status >= 500) throw error;
    throw new RunFailed(
      `the cluster refuses the settings that the index gets at its end (index.number_of_replicas: ${wanted.number_of_replicas}, index.refresh_interval: ${wanted.refresh_interval}): ${error.message}. Write others into the definition, or lift the cluster's limit.`,
      { cause: error },
    );
  }
  await setForBuild(cluster, [names.index, names.deadLetterIndex]);
}

/** Gives indexes the settings of a build: no refresh, and as few replicas as the cluster takes. */
export async function setForBuild(cluster: SearchCalls, indexes: readonly string[]): Promise<number> {
  const path = `/${indexes.map(segment).join(',')}/_settings`;
  const { replicas } = await withLeastReplicas((number) =>
    cluster.call('PUT', path, {
      index: { number_of_replicas: String(number), refresh_interval: '-1' },
    }),
  );
  return replicas;
}
