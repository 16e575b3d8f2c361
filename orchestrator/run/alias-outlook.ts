import { messageOf } from '../errors.ts';
import { foreignFaults, knowHolders } from '../index/alias-holders.ts';
import { readAliasClaim } from '../index/alias-claims.ts';
import { commonConfig, readAlias } from '../index/promote.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import { claimHistory } from '../journal/claims.ts';
import type { JournalStore } from '../journal/store.ts';
import type { AliasHolder } from '../reconcile/promotion.ts';
import { heldWords } from './alias-claim-words.ts';

export interface WantedAlias {
  readonly alias: string;
  readonly fleet: string;
  /** Whether the person accepts that the alias leaves indexes that the fleet did not build. */
  readonly foreign: boolean;
}

/** Why an alias cannot move as it stands now. A run asks before it creates anything, not only at its end. */
export async function outlookFaults(cluster: SearchCalls, wanted: WantedAlias): Promise<string[]> {
  return faultsOf(cluster, await readAlias(cluster, wanted.alias), wanted);
}

async function faultsOf(
  cluster: SearchCalls,
  holders: readonly AliasHolder[],
  wanted: WantedAlias,
): Promise<string[]> {
  return [
    ...(wanted.foreign ? [] : foreignFaults(await knowHolders(cluster, holders), wanted)),
    ...configFaults(wanted.alias, holders),
  ];
}

/** Nobody can say what the alias is to have if the indexes that it serves differ in it. */
function configFaults(alias: string, holders: readonly AliasHolder[]): string[] {
  try {
    commonConfig(alias, holders);
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** What would keep a run from its end if the alias still stood so, for a plan. */
export async function outlookWarnings(
  cluster: SearchCalls,
  wanted: WantedAlias,
  store: JournalStore,
): Promise<string[]> {
  const holders = await readAlias(cluster, wanted.alias);
  return [
    ...(await claimWarnings(cluster, wanted, store)),
    ...(await faultsOf(cluster, holders, wanted)),
    ...routingWarnings(wanted.alias, holders),
  ];
}

async function claimWarnings(
  cluster: SearchCalls,
  { alias, fleet }: WantedAlias,
  store: JournalStore,
): Promise<string[]> {
  const standing = await readAliasClaim(cluster, alias);
  if (standing === null) return [];
  const { claim } = standing;
  const isOurs = claim.fleet === fleet && (await claimHistory(store)).some(({ run }) => run === claim.run);
  return isOurs ? [] : [heldWords(alias, claim)];
}

/** Documents are written without a routing of the alias, so on several shards an alias with one hides most of them. */
function routingWarnings(alias: string, holders: readonly AliasHolder[]): string[] {
  const routed = holders.filter(
    ({ config }) => config['search_routing'] !== undefined || config['index_routing'] !== undefined,
  );
  return routed.map(
    ({ index }) =>
      `the alias ${alias} has a routing on ${index}. On an index of several shards it hides documents, and then the alias does not move: set the alias without routing before the run ends.`,
  );
}
