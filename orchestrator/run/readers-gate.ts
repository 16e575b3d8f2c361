import { messageOf, RunFailed } from '../errors.ts';
import { ClusterError } from '../index/cluster-error.ts';
import { foreignFaults, knowHolders } from '../index/alias-holders.ts';
import { commonConfig, namesOf, readAlias } from '../index/promote.ts';
import { hidesDocuments, type ReadersView, servedDocuments, tryProperties } from '../index/readers-view.ts';
import { type FoundDocuments, lostWords, shrinkageOf } from '../index/shrink.ts';
import type { AliasHolder } from '../reconcile/promotion.ts';
import { requireAlias } from './alias-claim.ts';
import type { DescribedTarget, RunContext } from './context.ts';
import { shrinkLimitOf } from './shrink-limit.ts';

/**
 * Looks at a promotion as readers will see it, and refuses one that takes something away from them. The run's claim
 * must stand, and the alias must stand where it stood when the run claimed it. Everything that is wrong is named at
 * once.
 *
 * @returns where the alias stood when all of this was true of it
 */
export async function requireReadersView(
  context: RunContext,
  target: DescribedTarget,
): Promise<readonly AliasHolder[]> {
  const { connections, identity } = context;
  const { alias, index } = target;
  const claim = await requireAlias(connections.cluster, alias, identity);
  const seen = await readAlias(connections.cluster, alias);
  const holders = seen.filter((holder) => holder.index !== index);
  const faults = [
    ...(await ownershipFaults(context, alias, { holders, claimed: claim.serves })),
    ...(await viewFaults(context, target, holders)),
  ];
  if (faults.length === 0) return seen;
  throw new RunFailed(
    `${faults.join('\n')}\nThe alias ${alias} stays where it is. Then run the same command again, or end the run with \`reindex-fleet abandon\`.`,
  );
}

async function ownershipFaults(
  { connections, identity, accepts }: RunContext,
  alias: string,
  { holders, claimed }: { readonly holders: readonly AliasHolder[]; readonly claimed: readonly string[] },
): Promise<string[]> {
  if (accepts.foreign) return [];
  const foreign = foreignFaults(await knowHolders(connections.cluster, holders), {
    alias,
    fleet: identity.fleet,
  });
  const wasThere = holders.every(({ index }) => claimed.includes(index));
  // An index that has left the alias, or that was deleted, takes nothing away from readers now.
  if (foreign.length > 0 || wasThere) return foreign;
  return [
    `the alias ${alias} was moved by somebody else while this run built its index: it served ${claimed.length === 0 ? 'no index' : claimed.join(', ')} when the run claimed it, and now serves ${namesOf(holders)}. Find out who moved it. Accept the replacement with --replace-foreign.`,
  ];
}

async function viewFaults(
  context: RunContext,
  { alias, index, described }: DescribedTarget,
  holders: readonly AliasHolder[],
): Promise<string[]> {
  const { connections, accepts, clock, signal, reporter } = context;
  let properties: AliasHolder['config'];
  try {
    properties = commonConfig(alias, holders);
  } catch (error) {
    return [messageOf(error)];
  }
  let wanted: ReadersView;
  try {
    wanted = await tryProperties(connections.cluster, index, properties, { clock, signal });
  } catch (error) {
    if (!(error instanceof ClusterError) || error.status !== 400) throw error;
    return [
      `the alias ${alias} has ${propertyWords(properties)}, and the cluster refuses this on ${index}: ${error.message}. Does the filter name a field that the new index does not have, or has with another type? Correct the definition, or the alias (POST /_aliases, add it again).`,
    ];
  }
  const served = await servedOrFault(context, alias, holders);
  if ('fault' in served) {
    if (!accepts.shrink)
      return [served.fault, ...hiddenFaults(alias, index, { wanted, properties, served: null })];
    reporter.warning(served.fault);
    return hiddenFaults(alias, index, { wanted, properties, served: null });
  }
  const limit = shrinkLimitOf(context.offline.settings, described.definition);
  return [
    ...hiddenFaults(alias, index, { wanted, properties, served }),
    ...(accepts.shrink ? [] : shrinkFaults({ alias, index, holders }, { served, wanted, properties }, limit)),
  ];
}

/** A served index may be closed or broken. Then nobody can say what readers lose. */
async function servedOrFault(
  { connections, signal }: RunContext,
  alias: string,
  holders: readonly AliasHolder[],
): Promise<FoundDocuments | { readonly fault: string }> {
  try {
    return await servedDocuments(connections.cluster, alias, holders);
  } catch (error) {
    signal.throwIfAborted();
    return {
      fault: `what the alias ${alias} serves now (${namesOf(holders)}) cannot be counted, so nobody knows whether readers would lose documents: ${messageOf(error)}. Mend that index, or accept it with --allow-shrink.`,
    };
  }
}

interface Views {
  readonly wanted: ReadersView;
  readonly served: FoundDocuments | null;
  readonly properties: AliasHolder['config'];
}

function hiddenFaults(alias: string, index: string, { wanted, served, properties }: Views): string[] {
  if (!hidesDocuments(wanted)) return [];
  const filtered = wanted.fitting === wanted.direct ? '' : ', that fit its filter';
  const now = served === null ? '' : ` Now they find ${served.throughAlias}.`;
  const byId =
    wanted.given === wanted.asked
      ? ''
      : ` Of ${wanted.asked} documents that are asked for by id, the alias gives ${wanted.given}.`;
  return [
    `the alias ${alias} has ${propertyWords(properties)}. With it, readers would find ${wanted.throughAlias} of ${documents(wanted.fitting)} of ${index}${filtered}.${byId}${now} The run writes each document without a routing of the alias. Set the alias without what hides documents (POST /_aliases, add it again without routing).`,
  ];
}

function propertyWords(properties: AliasHolder['config']): string {
  const words = Object.entries(properties).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return words.length === 0 ? 'no properties of its own' : words.join(', ');
}

function shrinkFaults(
  {
    alias,
    index,
    holders,
  }: { readonly alias: string; readonly index: string; readonly holders: readonly AliasHolder[] },
  { served, wanted, properties }: Views & { readonly served: FoundDocuments },
  limit: number,
): string[] {
  const shrinkage = shrinkageOf(served, wanted, limit);
  if (shrinkage === null) return [];
  const { before, after, view } = shrinkage;
  const why =
    after === 0
      ? 'an index without documents never replaces one that has some'
      : `${lostWords(shrinkage, limit)} are lost, more than promote.shrink_limit ${limit}`;
  const look =
    view === 'through the alias' && wanted.fitting < wanted.direct
      ? `Of the ${documents(wanted.direct)} of ${index}, ${wanted.fitting} fit the filter of the alias, ${JSON.stringify(properties['filter'])}: look at its fields in the definition, and at the table.`
      : 'Look at the table.';
  return [
    `${namesOf(holders)}, which ${alias} serves, ${holders.length === 1 ? 'has' : 'have'} ${documents(before)} ${view}, and ${index} has ${after}: ${why}. ${look} If it is meant, give \`reindex-fleet run --allow-shrink\`.`,
  ];
}

/** A number as it is written in a count's answer, so that a person can look for it. */
function documents(count: number): string {
  return `${count} document${count === 1 ? '' : 's'}`;
}
