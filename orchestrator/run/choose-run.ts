import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { FleetHeld, RunFailed } from '../errors.ts';
import {
  aliasWords,
  type Claim,
  currentClaim,
  folderAgain,
  newestOfKey,
  runFolder,
} from '../journal/claims.ts';
import { holderWords } from '../journal/holder.ts';
import { currentHolder } from '../journal/lock.ts';
import { type ReadRun, readRun } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';
import { isPhaseDone } from '../reconcile/phases.ts';
import type { RunState } from '../reconcile/state.ts';
import { OutdatedRun, restartOf } from './outdated-run.ts';

/** The run that a command is about. */
export type ChosenRun =
  | NewRun
  | { readonly kind: 'unfinished'; readonly claim: Claim; readonly state: RunState }
  | { readonly kind: 'finished'; readonly claim: Claim; readonly state: RunState };

export interface NewRun {
  readonly kind: 'new';
  readonly runKey: string;
  readonly run: string;
  /** The folder of its journal. */
  readonly folder: string;
}

export interface WantedRun {
  /** Null: the run that holds the fleet, or a new one. */
  readonly runKey: string | null;
  /** The digests of the definitions whose indexes are to be built, without the types of their columns. */
  readonly definitionDigests: readonly string[];
  readonly now: Date;
}

/**
 * Chooses the run. With a key it is the run of that key, or a new run if that one was abandoned. Without a key it is the
 * fleet's unfinished run, else a new run.
 *
 * @throws FleetHeld when another run's claim holds the fleet
 * @throws OutdatedRun when the unfinished run began with another definition, and its alias has not moved
 * @throws RunFailed when the key belongs to a finished run of another definition
 */
export async function chooseRun(store: JournalStore, wanted: WantedRun): Promise<ChosenRun> {
  const held = await unfinishedClaim(store);
  if (held !== null && wanted.runKey === null) return chooseHeld(store, held, wanted.definitionDigests);
  const runKey = wanted.runKey ?? wanted.now.toISOString();
  const claim = await newestOfKey(store, runKey);
  const known = claim === null ? null : { claim, state: (await readRun(store, claim.folder)).state };
  // A run with a result needs no fleet to give it.
  const isOver = known !== null && known.state.result !== null;
  if (held !== null && held.runKey !== runKey && !isOver)
    throw new FleetHeld(
      `${holdingWords(held)}; ${await lockWords(store)}: wait until it ends (\`reindex-fleet status\` shows its state), or end it with \`reindex-fleet abandon\``,
    );
  if (known === null) return newRun(runKey, wanted.now, runFolder(runKey));
  return chooseKnown(known.claim, known.state, wanted);
}

/** A run that begins anew under a key that was used before. Its journal lies beside the earlier one's. */
export function runAgain(runKey: string, now: Date): NewRun {
  return newRun(runKey, now, null);
}

function newRun(runKey: string, now: Date, folder: string | null): NewRun {
  const run = runIdOf(runKey, now);
  return { kind: 'new', runKey, run, folder: folder ?? folderAgain({ runKey, run }) };
}

/** What the fleet's newest claim says. */
export interface Standing {
  /** Null when the fleet had no run yet. */
  readonly newest: Claim | null;
  /** The newest claim's run, read if the claim is held. It may be over already, if the claim was not ended in time. */
  readonly run: ReadRun | null;
  /**
   * The newest claim if it holds the fleet. A run that has its result holds nothing, even if its claim was not ended.
   */
  readonly unfinished: Claim | null;
}

export async function readStanding(store: JournalStore): Promise<Standing> {
  const newest = await currentClaim(store);
  if (newest === null || !newest.held) return { newest, run: null, unfinished: null };
  const run = await readRun(store, newest.folder);
  const isOver = run.state.result !== null || run.state.abandoned;
  return { newest, run, unfinished: isOver ? null : newest };
}

/** The claim that holds the fleet. Null when none does. */
export async function unfinishedClaim(store: JournalStore): Promise<Claim | null> {
  return (await readStanding(store)).unfinished;
}

/** The held claim of a run without a result. The run may be abandoned already, if only its claim was not ended. */
export async function endableClaim(store: JournalStore): Promise<Claim | null> {
  const claim = await currentClaim(store);
  if (claim === null || !claim.held) return null;
  return (await readRun(store, claim.folder)).state.result === null ? claim : null;
}

/**
 * Makes sure that no unfinished run holds the fleet, for a command that moves the alias of a finished run.
 *
 * @throws FleetHeld while an unfinished run holds the fleet and its alias
 */
export async function requireFree(store: JournalStore): Promise<void> {
  const held = await unfinishedClaim(store);
  if (held === null) return;
  throw new FleetHeld(
    `${holdingWords(held)}: finish it with \`reindex-fleet run\`, or end it with \`reindex-fleet abandon\``,
  );
}

async function chooseHeld(store: JournalStore, claim: Claim, digests: readonly string[]): Promise<ChosenRun> {
  const { state } = await readRun(store, claim.folder);
  if (sameDigests(claim, digests) || hasMoved(state)) return { kind: 'unfinished', claim, state };
  throw new OutdatedRun(claim, {
    why: `${holdingWords(claim)}. It began with another definition`,
    command: 'reindex-fleet run --restart',
    move: 'leave',
  });
}

function chooseKnown(
  claim: Claim,
  state: RunState,
  { definitionDigests: digests, now }: WantedRun,
): ChosenRun {
  if (claim.ended === 'abandoned' || state.abandoned) return runAgain(claim.runKey, now);
  if (sameDigests(claim, digests) || (state.result === null && hasMoved(state)))
    return { kind: state.result === null ? 'unfinished' : 'finished', claim, state };
  // The cluster refused the index of that definition, and the run gave its claim back. Nothing is left of it.
  if (!claim.held && claim.ended === null) return runAgain(claim.runKey, now);
  const [then, today] = [digestsOf(claim), digests].map((list) => list.map(shortened).join(', '));
  const why = `the run with key ${claim.runKey} began with another definition (${then}, now ${today})`;
  if (state.result !== null)
    throw new RunFailed(`${why} and is finished: give another key to build an index with this definition`);
  throw new OutdatedRun(claim, {
    why,
    command: restartOf(claim.runKey),
    move: 'mend-and-repeat',
  });
}

/** Whether nothing is left to read or to prove. The rest of such a run needs none of what it began with. */
export function hasMoved({ phases, rolledBack }: RunState): boolean {
  return isPhaseDone(phases, 'promote') && rolledBack === null;
}

/** Whether a claim's run builds the indexes of exactly these definitions. */
export function sameDigests(claim: Claim, digests: readonly string[]): boolean {
  return isDeepStrictEqual([...digestsOf(claim)].sort(), [...digests].sort());
}

function digestsOf({ aliases }: Claim): readonly string[] {
  return aliases.map(({ definitionDigest }) => definitionDigest);
}

function shortened(digest: string): string {
  return digest.slice(0, 12);
}

/** Says which run holds the fleet, for a message that refuses something. */
export function holdingWords(claim: Claim): string {
  return `the run with key ${claim.runKey} (${aliasWords(claim)}) has held the fleet since ${claim.at}`;
}

/** Says which process has the lock. Whether it lives, only its machine can know. */
async function lockWords(store: JournalStore): Promise<string> {
  const found = await currentHolder(store);
  return found === null ? 'no process has the lock now' : `the lock is with ${holderWords(found.holder)}`;
}

/** Makes a short id that sorts by time and fits into an index name. */
function runIdOf(runKey: string, now: Date): string {
  const time = now
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
  return `${time}-${createHash('sha256').update(runKey).update(now.toISOString()).digest('hex').slice(0, 4)}`;
}
