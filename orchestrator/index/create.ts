import type { DescribedDefinition } from '../../definition/definition.ts';
import { RunFailed } from '../errors.ts';
import { creationPath, requireAllocated } from './allocation.ts';
import { ClusterError, isClusterError } from './cluster-error.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import { indexHealth } from './index-health.ts';
import { describeIndex, metaOf } from './index-meta.ts';
import { withLeastReplicas } from './least-replicas.ts';
import { deadLetterBody, type IndexBody, type IndexOrigin, targetBody, withReplicas } from './mapping.ts';
import { deleteOwnIndex } from './delete-index.ts';
import { matchingTemplates } from './effective/matching-templates.ts';
import { verifyIndex } from './effective/verify-index.ts';
import { passAliases, scratchIndexOf, type TargetNames, targetNames } from './names.ts';
import { rehearseEnd, setForBuild } from './rehearse-end.ts';

export interface CreatedTarget extends TargetNames {
  /** False when both exist already, because an earlier try of the same run created them. */
  readonly created: boolean;
  /** Sentences about what the indexes have that nobody asked for, and that does no harm. */
  readonly warnings: readonly string[];
}

/**
 * Creates the companion and the target with the write aliases of `pass`. It checks that they are as asked for, that
 * their shards find a place, and that the cluster takes their final settings. It leaves what this run has already
 * created. If one of the two cannot be had, it removes what this call created.
 */
export async function createTarget(
  cluster: SearchCalls,
  described: DescribedDefinition,
  origin: IndexOrigin,
  pass: number,
): Promise<CreatedTarget> {
  const names = targetNames(described.definition.alias, origin.run);
  const aliases = passAliases(names, pass);
  const made: string[] = [];
  const warnings: string[] = [];
  const make = async (index: string, alias: string, body: IndexBody): Promise<void> => {
    const { answer, replicas } = await createIndex(cluster, index, alias, body);
    if (answer !== null) made.push(index);
    const asked = withReplicas(body, replicas);
    warnings.push(...(await verifyIndex(cluster, index, asked, { isNew: true })));
    await requireAllocated(cluster, index, answer);
  };
  try {
    // The target comes first, because its faults say more than those of the companion.
    await make(names.index, aliases.writeAlias, targetBody(described, origin));
    await make(names.deadLetterIndex, aliases.deadLetterAlias, deadLetterBody(described, origin));
    await rehearseEnd(cluster, names, described.definition);
  } catch (error) {
    // Without an answer nobody knows. The next try of this run finds and takes what was created.
    if (!(error instanceof ClusterError) || error.status !== 0) await removeMade(cluster, made);
    throw error;
  }
  return { ...names, created: made.length > 0, warnings };
}

/** The longest wait for the shards of a cluster that has just restarted. */
const RECOVERY_MS = 30_000;

/**
 * The state of the target and its companion: `absent` if one is missing, `red` if one has lost a primary shard that
 * does not come back, else `present`.
 */
export async function targetState(
  cluster: SearchCalls,
  names: TargetNames,
): Promise<'absent' | 'red' | 'present'> {
  const both = [names.index, names.deadLetterIndex];
  const found = await Promise.all(both.map((index) => describeIndex(cluster, index)));
  if (found.includes(null)) return 'absent';
  const { status } = await indexHealth(cluster, both, { waitMs: RECOVERY_MS });
  return status === 'red' ? 'red' : 'present';
}

/** Opens a further pass: lifts the write block of the pass before, and adds the write aliases of this pass. */
export async function openPass(cluster: SearchCalls, names: TargetNames, pass: number): Promise<void> {
  const { writeAlias, deadLetterAlias } = passAliases(names, pass);
  await liftWriteBlock(cluster, names);
  const actions = [
    { add: { index: names.index, alias: writeAlias } },
    { add: { index: names.deadLetterIndex, alias: deadLetterAlias } },
  ];
  await cluster.call('POST', '/_aliases', { actions });
}

export async function liftWriteBlock(cluster: SearchCalls, names: TargetNames): Promise<void> {
  const path = `/${segment(names.index)},${segment(names.deadLetterIndex)}/_settings`;
  await cluster.call('PUT', path, { 'index.blocks.write': null });
}

/**
 * Removes the target and its companion if they belong to this run and readers do not use them. Otherwise it says why
 * not. It returns the names of the indexes that it removed.
 */
export async function deleteTarget(cluster: SearchCalls, names: TargetNames, run: string): Promise<string[]> {
  const deleted: string[] = [];
  for (const index of [names.index, names.deadLetterIndex, scratchIndexOf(names.index)]) {
    if (await deleteOwnIndex(cluster, index, run)) deleted.push(index);
  }
  return deleted;
}

interface Creation {
  /** The cluster's answer. Null when an earlier try of this run has created the index. */
  readonly answer: unknown;
  /** The number of replicas while the index is built. */
  readonly replicas: number;
}

/**
 * Creates an index, or finds that this run has created it. If the index has lost its shards since, it is created anew:
 * nothing was written to it yet, and it would never find a place.
 */
async function createIndex(
  cluster: SearchCalls,
  index: string,
  alias: string,
  body: IndexBody,
): Promise<Creation> {
  if (await isOurs(cluster, index, body)) {
    const { status } = await indexHealth(cluster, [index], { waitMs: RECOVERY_MS });
    if (status !== 'red') return { answer: null, replicas: await setForBuild(cluster, [index]) };
    await deleteOwnIndex(cluster, index, body.mappings._meta.reindex_fleet.run);
  }
  const create = (replicas: number): Promise<unknown> =>
    cluster.call(
      'PUT',
      creationPath(index),
      { ...withReplicas(body, replicas), aliases: { [alias]: {} } },
      { timeoutMs: 60_000 },
    );
  try {
    const { result, replicas } = await withLeastReplicas(create);
    return { answer: result, replicas };
  } catch (error) {
    // A call that was repeated after a lost answer finds what the first one created.
    if (isClusterError(error, 'resource_already_exists_exception') && (await isOurs(cluster, index, body)))
      return { answer: {}, replicas: await setForBuild(cluster, [index]) };
    throw await withTemplates(cluster, index, error);
  }
}

/** A template can make an index impossible, and the cluster's refusal does not name the template. */
async function withTemplates(cluster: SearchCalls, index: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ClusterError) || error.status !== 400) return error;
  const whence = await matchingTemplates(cluster, index);
  if (whence === null) return error;
  const { status, type, message, move } = error;
  return new ClusterError(status, type, `${message}. ${whence}`, { cause: error, move });
}

async function isOurs(cluster: SearchCalls, index: string, body: IndexBody): Promise<boolean> {
  const description = await describeIndex(cluster, index);
  if (description === null) return false;
  const { run } = body.mappings._meta.reindex_fleet;
  if (metaOf(description)?.run === run) return true;
  throw new RunFailed(
    `the index ${index} exists already and does not belong to run ${run}: remove it, or begin a new run`,
  );
}

/** Removes what was just created, also what a template has made read-only. */
async function removeMade(cluster: SearchCalls, made: readonly string[]): Promise<void> {
  for (const index of made) {
    try {
      await cluster.callOrNull('DELETE', `/${segment(index)}`);
    } catch (error) {
      if (!isClusterError(error, 'cluster_block_exception')) throw error;
      await cluster.call('PUT', `/${segment(index)}/_settings`, { 'index.blocks.read_only': null });
      await cluster.callOrNull('DELETE', `/${segment(index)}`);
    }
  }
}
