import { z } from 'zod';
import { RunFailed } from '../errors.ts';
import { creationPath, requireAllocated } from './allocation.ts';
import { ClusterError, isClusterError, read } from './cluster-error.ts';
import { describeIndex, type IndexDescription } from './index-meta.ts';
import { type SearchCalls, segment } from './search-calls.ts';

const aliasClaimSchema = z.strictObject({
  schema: z.literal(1),
  fleet: z.string(),
  /** Where the run's journal is, without secrets. */
  journal: z.string(),
  /** The machine whose process took the claim. */
  host: z.string(),
  run_key: z.string(),
  run: z.string(),
  /** When the run took the claim, in ISO 8601. */
  since: z.iso.datetime(),
  /** The indexes that the alias served then. */
  serves: z.array(z.string()).readonly(),
});

/**
 * A run's claim on an alias. Each fleet's journal has claims of its own, which other journals do not see. This one is a
 * document in the cluster itself, where every run on the alias sees it.
 */
export type AliasClaim = z.infer<typeof aliasClaimSchema>;

/** A claim as it stands, with what a conditional write needs. */
export interface StandingClaim {
  readonly claim: AliasClaim;
  readonly seqNo: number;
  readonly primaryTerm: number;
}

/** The index of an alias's claim. The alias's name begins its name, so no further right is needed. */
export function claimsIndexOf(alias: string): string {
  return `${alias}-claims`;
}

const DOCUMENT = 'claim';

/** The claim on an alias. Null when nobody has it. It is read as of its last write, whatever was refreshed. */
export async function readAliasClaim(cluster: SearchCalls, alias: string): Promise<StandingClaim | null> {
  const index = claimsIndexOf(alias);
  const answer = await cluster.callOrNull('GET', `/${segment(index)}/_doc/${DOCUMENT}`);
  if (answer === null || read(answer, 'found') !== true) return null;
  const parsed = aliasClaimSchema.safeParse(read(read(answer, '_source'), 'claim'));
  if (!parsed.success)
    throw new RunFailed(
      `the claim on the alias ${alias} cannot be read, so it counts as held: look at GET /${index}/_doc/${DOCUMENT}. If a newer version wrote it, use that version`,
    );
  return {
    claim: parsed.data,
    seqNo: Number(read(answer, '_seq_no')),
    primaryTerm: Number(read(answer, '_primary_term')),
  };
}

/**
 * Writes a claim: a new one, or one in the place of `standing`. False when another process wrote first. A call that was
 * repeated after a lost answer also says so, although its own first try wrote. So the caller reads again.
 */
export async function writeAliasClaim(
  cluster: SearchCalls,
  alias: string,
  claim: AliasClaim,
  standing: StandingClaim | null,
): Promise<boolean> {
  const index = claimsIndexOf(alias);
  if (standing === null) await createClaimsIndex(cluster, alias);
  const condition = standing === null ? 'op_type=create' : conditionOf(standing);
  try {
    await cluster.call('PUT', `/${segment(index)}/_doc/${DOCUMENT}?${condition}`, { claim });
    return true;
  } catch (error) {
    if (error instanceof ClusterError && error.status === 409) return false;
    throw error;
  }
}

/** Removes a claim if it still stands as it was read. False when it was changed or removed meanwhile. */
export async function removeAliasClaim(
  cluster: SearchCalls,
  alias: string,
  standing: StandingClaim,
): Promise<boolean> {
  const path = `/${segment(claimsIndexOf(alias))}/_doc/${DOCUMENT}?${conditionOf(standing)}`;
  try {
    return (await cluster.callOrNull('DELETE', path)) !== null;
  } catch (error) {
    if (error instanceof ClusterError && error.status === 409) return false;
    throw error;
  }
}

function conditionOf({ seqNo, primaryTerm }: StandingClaim): string {
  return `if_seq_no=${seqNo}&if_primary_term=${primaryTerm}`;
}

/**
 * Settings of the index of claims. Wildcards of readers leave it out. It has a second copy where there is a second
 * node. No pipeline of a template changes the document.
 */
const SETTINGS = {
  'index.number_of_shards': '1',
  'index.auto_expand_replicas': '0-1',
  'index.hidden': 'true',
  'index.default_pipeline': '_none',
  'index.final_pipeline': '_none',
};

/** The claim is stored and not indexed, so no field of a template has a say in it. */
const MAPPINGS = {
  dynamic: 'strict',
  _source: { enabled: true, includes: [], excludes: [] },
  _routing: { required: false },
  properties: { claim: { type: 'object', enabled: false } },
};

async function createClaimsIndex(cluster: SearchCalls, alias: string): Promise<void> {
  const index = claimsIndexOf(alias);
  const isNew = (await describeIndex(cluster, index)) === null;
  if (isNew && !(await create(cluster, index, SETTINGS)))
    // A cluster that balances copies over its zones refuses every other number of replicas.
    await create(cluster, index, { ...SETTINGS, 'index.auto_expand_replicas': '0-all' });
  const description = await describeIndex(cluster, index);
  const faults = description === null ? ['it is not there'] : faultsIn(description);
  if (faults.length === 0) return;
  // Readers must not find it through an alias of a template.
  if (isNew) await cluster.callOrNull('DELETE', `/${segment(index)}`);
  throw new RunFailed(
    `the index ${index}, which holds the claim on the alias ${alias}, is not as asked for: ${faults.join('; ')}. If an index template matches its name, exclude the name there. If the index was there before, take this off it, or delete it if it holds nothing that you need. Then run the same command again.`,
  );
}

/** Creates the index, and requires a place for its shard. False when the cluster refuses its number of replicas. */
async function create(
  cluster: SearchCalls,
  index: string,
  settings: Readonly<Record<string, string>>,
): Promise<boolean> {
  try {
    const body = { settings, mappings: MAPPINGS };
    const answer = await cluster.call('PUT', creationPath(index), body, { timeoutMs: 60_000 });
    await requireAllocated(cluster, index, answer).catch(async (error: unknown) => {
      // Every later look at a claim without a place would wait for the place.
      if (error instanceof RunFailed) await cluster.callOrNull('DELETE', `/${segment(index)}`);
      throw error;
    });
    return true;
  } catch (error) {
    if (isClusterError(error, 'resource_already_exists_exception')) return true;
    if (isClusterError(error, 'invalid_index_name_exception'))
      throw new RunFailed(
        `the index ${index} cannot hold the claim on the alias: ${error.message}. If something else has this name, give that another one, and run the same command again.`,
      );
    const isLast = settings['index.auto_expand_replicas'] === '0-all';
    if (
      !isLast &&
      error instanceof ClusterError &&
      error.status === 400 &&
      /auto.?expand/i.test(error.message)
    )
      return false;
    throw error;
  }
}

/**
 * What a template or a person has made of the index that would hurt: readers would find the claim, the claim could not
 * be written or removed, or the index is for something else.
 */
function faultsIn({ aliases, mappings, settings }: IndexDescription): string[] {
  if (mappings.properties?.['claim']?.['enabled'] !== false)
    return ['it is not an index of claims, so nothing is written to it'];
  const blocks = Object.keys(settings).filter(
    (name) =>
      (name.startsWith('index.blocks.') || name === 'index.append_only.enabled') && settings[name] === 'true',
  );
  return [
    ...Object.keys(aliases).map((name) => `it has the alias "${name}"`),
    ...blocks.map((name) => `it has the setting ${name}`),
  ];
}
