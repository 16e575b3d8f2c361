import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { FleetHeld, RunFailed } from '../errors.ts';
import { aliasWords, type Claim, claimHistory, currentClaim, runFolder } from '../journal/claims.ts';
import { type ReadRun, readRun } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunState } from '../reconcile/state.ts';

/** The run that a command is about. */
export type ChosenRun =
  | { readonly kind: 'new'; readonly runKey: string; readonly run: string }
  | { readonly kind: 'unfinished'; readonly claim: Claim; readonly state: RunState }
  | { readonly kind: 'finished'; readonly claim: Claim; readonly state: RunState };

export interface WantedRun {
  /** Null: the run that holds the fleet, or a new one. */
  readonly runKey: string | null;
  /** The digests of the definitions whose indexes are to be built, without the types of their columns. */
  readonly definitionDigests: readonly string[];
  readonly now: Date;
}

/**
 * Chooses the run. With a key it is the run of that key. Without a key it is the fleet's unfinished run if its
 * definition is the same, else a new run.
 *
 * @throws FleetHeld when another run's claim holds the fleet
 * @throws RunFailed when the key belongs to an abandoned run, or to a run of another definition
 */
export async function chooseRun(store: JournalStore, wanted: WantedRun): Promise<ChosenRun> {
  const held = await unfinishedClaim(store);
  if (held !== null && wanted.runKey === null) return chooseHeld(store, held, wanted.definitionDigests);
  const runKey = wanted.runKey ?? wanted.now.toISOString();
  const claim = (await claimHistory(store)).find((candidate) => candidate.runKey === runKey);
  const known =
    claim === undefined ? null : { claim, state: (await readRun(store, runFolder(runKey))).state };
  // A run with a result needs no fleet to give it.
  const isOver = known !== null && known.state.result !== null;
  if (held !== null && held.runKey !== runKey && !isOver)
    throw new FleetHeld(
      `${holdingWords(held)}: wait until it ends (\`reindex-fleet status\` shows its state), or end it with \`reindex-fleet abandon\``,
    );
  if (known === null) return { kind: 'new', runKey, run: runIdOf(runKey, wanted.now) };
  return chooseKnown(known.claim, known.state, wanted.definitionDigests);
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
  const run = await readRun(store, runFolder(newest.runKey));
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
  return (await readRun(store, runFolder(claim.runKey))).state.result === null ? claim : null;
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
  if (!sameDigests(claim, digests)) {
    throw new FleetHeld(
      `${holdingWords(claim)}. It began with another definition: carry it on with that definition, or end it with \`reindex-fleet abandon\`.`,
    );
  }
  return { kind: 'unfinished', claim, state: (await readRun(store, runFolder(claim.runKey))).state };
}

function chooseKnown(claim: Claim, state: RunState, digests: readonly string[]): ChosenRun {
  if (claim.ended === 'abandoned' || state.abandoned)
    throw new RunFailed(`the run with key ${claim.runKey} was abandoned: begin a new run with another key`);
  if (!sameDigests(claim, digests)) {
    const [then, now] = [digestsOf(claim), digests].map((list) => list.map((digest) => digest.slice(0, 12)));
    throw new RunFailed(
      `the run with key ${claim.runKey} began with another definition (${then?.join(', ')}, now ${now?.join(', ')}): carry it on with that definition, end it with \`reindex-fleet abandon\` if it is not finished, or choose another key`,
    );
  }
  return { kind: state.result === null ? 'unfinished' : 'finished', claim, state };
}

/** Whether a claim's run builds the indexes of exactly these definitions. */
export function sameDigests(claim: Claim, digests: readonly string[]): boolean {
  return isDeepStrictEqual([...digestsOf(claim)].sort(), [...digests].sort());
}

function digestsOf({ aliases }: Claim): readonly string[] {
  return aliases.map(({ definitionDigest }) => definitionDigest);
}

/** Says which run holds the fleet, for a message that refuses something. */
export function holdingWords(claim: Claim): string {
  return `the run with key ${claim.runKey} (${aliasWords(claim)}) has held the fleet since ${claim.at}`;
}

/** Makes a short id that sorts by time and fits into an index name. */
function runIdOf(runKey: string, now: Date): string {
  const time = now
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
  return `${time}-${createHash('sha256').update(runKey).update(now.toISOString()).digest('hex').slice(0, 4)}`;
}
