import type { IndexDefinition } from '../../definition/definition.ts';
import { RunFailed, messageOf } from '../errors.ts';
import { claimsIndexOf } from './alias-claims.ts';
import { read } from './cluster-error.ts';
import { judgeTemplates } from './effective/template-settings.ts';
import { describeIndex } from './index-meta.ts';
import { type Judgement, NOTHING_FOUND } from './judgement.ts';
import { allocationFaults, blockFaults, nodeFaults, placeFaults } from './limits/allocation.ts';
import { lookAtCluster } from './limits/cluster-facts.ts';
import { copiesFaults } from './limits/copies.ts';
import { judgeDisk } from './limits/disk.ts';
import { refreshFaults } from './limits/refresh-interval.ts';
import { shardFaults } from './limits/shards.ts';
import { isUnseen, unseenWords } from './look.ts';
import { companionSettings, targetSettings } from './mapping.ts';
import { targetNames } from './names.ts';
import type { SearchCalls } from './search-calls.ts';

/**
 * Checks the cluster for a run, without creating anything. All faults are named at once.
 *
 * @param expectedBytes the bytes that the plan expects to be sent; null when not known
 * @returns sentences about what nobody may look at, and what may become scarce
 */
export async function preflight(
  cluster: SearchCalls,
  definition: IndexDefinition,
  expectedBytes: Promise<number | null> = Promise.resolve(null),
): Promise<readonly string[]> {
  const checks = await Promise.allSettled([
    checkAlias(cluster, definition.alias),
    checkLimits(cluster, definition, expectedBytes),
    checkPipeline(cluster, definition.pipeline),
    checkTemplates(cluster, definition),
  ]);
  const faults = checks.flatMap((check) =>
    check.status === 'rejected' ? [messageOf(check.reason)] : check.value.faults,
  );
  if (faults.length > 0) throw new RunFailed(faults.join('\n'));
  const warnings = checks.flatMap((check) => (check.status === 'fulfilled' ? check.value.warnings : []));
  return [...new Set(warnings)];
}

async function checkAlias(cluster: SearchCalls, alias: string): Promise<Judgement> {
  const there = await cluster.callOrNull('GET', `/${encodeURIComponent(alias)}`);
  if (read(there, alias) !== undefined)
    throw new RunFailed(
      `${alias} is an index, not an alias, so no alias can have this name. Give the index another name (reindex it and delete this one), or choose another alias.`,
    );
  const streams = backingIndexes(there, alias);
  if (streams.length === 0) return NOTHING_FOUND;
  throw new RunFailed(
    `${alias} is a data stream or the alias of one (${streams.join(', ')}), and a data stream cannot be rebuilt: choose another alias.`,
  );
}

/** The indexes behind a name that do not have it as an alias themselves. Those of a data stream do not. */
function backingIndexes(there: unknown, alias: string): string[] {
  if (typeof there !== 'object' || there === null) return [];
  return Object.entries(there).flatMap(([index, entry]) =>
    read(read(entry, 'aliases'), alias) === undefined ? [index] : [],
  );
}

/** Compares what the definition asks for with what the cluster would refuse when everything has been read. */
async function checkLimits(
  cluster: SearchCalls,
  definition: IndexDefinition,
  expectedBytes: Promise<number | null>,
): Promise<Judgement> {
  const [{ facts, unseen }, claimsIndex, bytes] = await Promise.all([
    lookAtCluster(cluster),
    describeIndex(cluster, claimsIndexOf(definition.alias)),
    expectedBytes,
  ]);
  // It has a replica where there is a second node.
  const claims = claimsIndex === null ? Math.min(facts.dataNodes ?? 1, 2) : 0;
  const disk = judgeDisk(definition, facts, bytes);
  return {
    faults: [
      ...blockFaults(facts, cluster.where),
      ...allocationFaults(definition, facts),
      ...placeFaults(definition, facts),
      ...nodeFaults(definition, facts),
      ...copiesFaults(definition, facts),
      ...refreshFaults(definition, facts),
      ...shardFaults(definition, facts, claims),
      ...disk.faults,
    ],
    warnings: [...unseen, ...disk.warnings],
  };
}

/** A moment's name stands for the name that a run will give, because templates match names by patterns. */
async function checkTemplates(cluster: SearchCalls, definition: IndexDefinition): Promise<Judgement> {
  const moment = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const names = targetNames(definition.alias, `${moment}-plan`);
  const both = await Promise.all([
    judgeTemplates(cluster, names.index, targetSettings(definition)),
    judgeTemplates(cluster, names.deadLetterIndex, companionSettings(definition)),
  ]);
  return {
    faults: both.flatMap(({ faults }) => faults),
    warnings: both.flatMap(({ warnings }) => warnings),
  };
}

async function checkPipeline(cluster: SearchCalls, pipeline: string | null): Promise<Judgement> {
  if (pipeline === null) return NOTHING_FOUND;
  const missing = `the cluster has no ingest pipeline ${pipeline}: create it, or correct "pipeline" in the definition`;
  try {
    const there = await cluster.callOrNull('GET', `/_ingest/pipeline/${encodeURIComponent(pipeline)}`);
    return read(there, pipeline) === undefined ? { faults: [missing], warnings: [] } : NOTHING_FOUND;
  } catch (error) {
    if (!isUnseen(error)) throw error;
    return { faults: [], warnings: [unseenWords(`the ingest pipeline ${pipeline}`, error)] };
  }
}
