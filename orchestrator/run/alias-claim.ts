import { Failure } from '../../definition/failure.ts';
import { FleetHeld, RunFailed } from '../errors.ts';
import {
  type AliasClaim,
  readAliasClaim,
  removeAliasClaim,
  type StandingClaim,
  writeAliasClaim,
} from '../index/alias-claims.ts';
import { readAlias } from '../index/promote.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import { claimHistory } from '../journal/claims.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunIdentity } from '../reconcile/identity.ts';
import { isPhaseDone } from '../reconcile/phases.ts';
import { heldWords } from './alias-claim-words.ts';
import { outlookFaults } from './alias-outlook.ts';
import type { RunContext } from './context.ts';
import { giveClaimBack } from './run-claim.ts';

/**
 * How a run holds its aliases in the cluster, where runs of other fleets and journals see it. A journal's claim holds
 * the fleet; only this one holds the alias.
 *
 *   journal's claim -> alias claim -> create index … retain -> alias claim removed -> result -> journal's claim ended
 *
 * - The alias claim lies within the journal's claim. So after a crash anywhere the journal knows the run, and the same
 *   command or `abandon` finds and removes the run's own alias claim. None is left that only a dead process knows.
 * - Nothing is created, and the alias is not moved, before the alias claim is there. A run that is carried on takes it
 *   again first, unless only its release is left. So no run works on an alias that it does not hold.
 * - A rollback, and a promotion after a rollback, hold the alias for as long as they last, and the journal says last that
 *   a rollback is done. If they are cut off, the claim names a run that is over in its journal. The same command gives
 *   it back. The next command of the same journal that wants the alias takes such a claim over: the journal's lock shows
 *   that nothing else of this journal is under way.
 */
export interface Claimant extends Pick<RunIdentity, 'fleet' | 'run' | 'runKey'> {
  readonly store: JournalStore;
  readonly host: string;
  readonly at: string;
}

/** A conflict with another process is looked at again this often. */
const MOST_TRIES = 5;

/** Takes the claim on an alias, or finds that this run has it. Throws FleetHeld when another run has it. */
async function takeAlias(cluster: SearchCalls, alias: string, claimant: Claimant): Promise<AliasClaim> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const standing = await readAliasClaim(cluster, alias);
    if (standing !== null && isOf(standing.claim, claimant)) return standing.claim;
    if (standing !== null && !(await isOverHere(standing.claim, claimant)))
      throw new FleetHeld(heldWords(alias, standing.claim));
    const claim = claimOf(
      claimant,
      (await readAlias(cluster, alias)).map(({ index }) => index),
    );
    if (await writeAliasClaim(cluster, alias, claim, standing)) return claim;
  }
  throw new RunFailed(
    `the claim on the alias ${alias} changes again and again: find out who else rebuilds it, and run the same command again`,
  );
}

/** The run's own claim on an alias. Throws FleetHeld when it is gone or another's. */
export async function requireAlias(
  cluster: SearchCalls,
  alias: string,
  claimant: Pick<RunIdentity, 'fleet' | 'run' | 'runKey'>,
): Promise<AliasClaim> {
  const standing = await readAliasClaim(cluster, alias);
  if (standing === null)
    throw new FleetHeld(
      `somebody has removed this run's claim on the alias ${alias}, so another run may use it: run the same command again, which claims it anew`,
    );
  if (!isOf(standing.claim, claimant)) throw new FleetHeld(heldWords(alias, standing.claim));
  return standing.claim;
}

/** The run that holds an alias, if it is another one: a person has freed the alias of this run's claim. Else null. */
export async function otherClaimingRun(
  cluster: SearchCalls,
  alias: string,
  claimant: Pick<RunIdentity, 'fleet' | 'run' | 'runKey'>,
): Promise<string | null> {
  const standing = await readAliasClaim(cluster, alias);
  return standing === null || isOf(standing.claim, claimant) ? null : standing.claim.run;
}

/** Removes the run's claim on an alias. Another run's claim stays. It may be repeated. */
export async function releaseAlias(
  cluster: SearchCalls,
  alias: string,
  claimant: Pick<RunIdentity, 'fleet' | 'run' | 'runKey'>,
): Promise<void> {
  const standing = await readAliasClaim(cluster, alias);
  if (standing !== null && isOf(standing.claim, claimant)) await removeAliasClaim(cluster, alias, standing);
}

/** Does some work while a run that is over holds its aliases once more, and gives them back however it ends. */
export async function whileHoldingAliases<T>(
  cluster: SearchCalls,
  aliases: readonly string[],
  claimant: Claimant,
  work: () => Promise<T>,
): Promise<T> {
  try {
    for (const alias of aliases) await takeAlias(cluster, alias, claimant);
    return await work();
  } finally {
    for (const alias of aliases) await releaseAlias(cluster, alias, claimant);
  }
}

/**
 * Takes the claims on all aliases of a run before its next phase. If that is refused and this run has created nothing
 * yet, it gives back what it holds. Then its key can be used again.
 */
export async function holdAliases(context: RunContext): Promise<void> {
  const { connections, identity, journal, offline, clock } = context;
  const { phases, result } = journal.state;
  if (result === null && isPhaseDone(phases, 'retain')) return;
  try {
    for (const { alias } of identity.targets)
      await takeAlias(connections.cluster, alias, claimantOf(context));
    if (phases['create-index'] === undefined) await requireOutlook(context);
  } catch (error) {
    if (isRefusal(error) && result === null && phases['create-index'] === undefined) {
      await releaseAliases(context);
      await giveClaimBack(offline.store, context, clock.now().toISOString());
    }
    throw error;
  }
}

/** Refuses a run whose alias cannot move as it stands now, before the run creates or launches anything. */
async function requireOutlook({ connections, identity, accepts }: RunContext): Promise<void> {
  const { fleet } = identity;
  const faults: string[] = [];
  for (const { alias } of identity.targets)
    faults.push(...(await outlookFaults(connections.cluster, { alias, fleet, foreign: accepts.foreign })));
  if (faults.length > 0) throw new RunFailed(`${faults.join('\n')}\nThe run has created nothing.`);
}

/** Whether the claim was refused. Without an answer nobody knows, and the run keeps what it may hold. */
function isRefusal(error: unknown): boolean {
  return error instanceof Failure && (error.move === 'leave' || error.move === 'mend-and-repeat');
}

export async function releaseAliases({ connections, identity }: RunContext): Promise<void> {
  for (const { alias } of identity.targets) await releaseAlias(connections.cluster, alias, identity);
}

function claimantOf({ identity, offline, clock, host }: RunContext): Claimant {
  return { ...identity, store: offline.store, host, at: clock.now().toISOString() };
}

/**
 * Frees an alias whose claim stands for a run that nobody carries on any more. Without `force` it frees only what this
 * journal knows to be over.
 *
 * @returns the claim that was removed; null when there was none
 */
export async function freeAlias(
  cluster: SearchCalls,
  alias: string,
  { store, fleet, force }: { readonly store: JournalStore; readonly fleet: string; readonly force: boolean },
): Promise<AliasClaim | null> {
  const standing = await readAliasClaim(cluster, alias);
  if (standing === null) return null;
  await requireFreeable(alias, standing, { store, fleet, force });
  if (await removeAliasClaim(cluster, alias, standing)) return standing.claim;
  throw new RunFailed(
    `the claim on the alias ${alias} has changed at this moment, so it stays: give the same command again`,
  );
}

async function requireFreeable(
  alias: string,
  { claim }: StandingClaim,
  { store, fleet, force }: { readonly store: JournalStore; readonly fleet: string; readonly force: boolean },
): Promise<void> {
  const known = (await claimHistory(store)).find(
    ({ run, runKey }) => claim.fleet === fleet && run === claim.run && runKey === claim.run_key,
  );
  if (known?.held === true)
    throw new RunFailed(
      `the claim on the alias ${alias} is that of this fleet's own run ${claim.run_key}: finish it with \`reindex-fleet run\`, or end it with \`reindex-fleet abandon\``,
    );
  if (known === undefined && !force) throw new FleetHeld(heldWords(alias, claim));
}

function claimOf({ fleet, store, host, runKey, run, at }: Claimant, serves: readonly string[]): AliasClaim {
  return {
    schema: 1,
    fleet,
    journal: store.location,
    host,
    run_key: runKey,
    run,
    since: at,
    serves,
  };
}

function isOf(
  claim: AliasClaim,
  { fleet, run, runKey }: Pick<RunIdentity, 'fleet' | 'run' | 'runKey'>,
): boolean {
  return claim.fleet === fleet && claim.run === run && claim.run_key === runKey;
}

/** Whether a claim is that of another run of this journal. The lock is held, so that run is not under way. */
async function isOverHere(claim: AliasClaim, { fleet, store }: Claimant): Promise<boolean> {
  if (claim.fleet !== fleet) return false;
  const history = await claimHistory(store);
  return history.some(({ run, runKey }) => run === claim.run && runKey === claim.run_key);
}
