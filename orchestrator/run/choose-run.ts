import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { FleetHeld, RunFailed } from '../errors.ts';
import { aliasWords, type Claim, claimHistory, currentClaim, runFolder } from '../journal/claims.ts';
import { type ReadRun, readRun } from '../journal/run-journal.ts';
import type { JournalStore } from '../journal/store.ts';
import type { RunState } from '../reconcile/state.ts';

/** Which run a command speaks of. */
export type ChosenRun =
  | { readonly kind: 'new'; readonly runKey: string; readonly run: string }
  | { readonly kind: 'unfinished'; readonly claim: Claim; readonly state: RunState }
  | { readonly kind: 'finished'; readonly claim: Claim; readonly state: RunState };

export interface WantedRun {
  /** Null: whichever there is. */
  readonly runKey: string | null;
  /** Of each definition whose index is to be built, without its columns' types. */
  readonly definitionDigests: readonly string[];
  readonly now: Date;
}

/**
 * Chooses the run: with a key that run and no other; without one the fleet's unfinished run if its definition is the
 * same, else a new one.
 *
 * @throws FleetHeld when another run's claim holds the fleet
 * @throws RunFailed when the key belongs to a run of another definition, or to an abandoned one
 */
export async function chooseRun(store: JournalStore, wanted: WantedRun): Promise<ChosenRun> {
  const held = await unfinishedClaim(store);
  if (held !== null && wanted.runKey === null) return chooseHeld(store, held, wanted.definitionDigests);
  const runKey = wanted.runKey ?? wanted.now.toISOString();
  const claim = (await claimHistory(store)).find((candidate) => candidate.runKey === runKey);
  const known =
    claim === undefined ? null : { claim, state: (await readRun(store, runFolder(runKey))).state };
  // A run that has its result needs no fleet to say so.
  const isOver = known !== null && known.state.result !== null;
  if (held !== null && held.runKey !== runKey && !isOver)
    throw new FleetHeld(
      `${holdingWords(held)}: wait for it (\`reindex-fleet status\` shows how it stands), or end it with \`reindex-fleet abandon\``,
    );
  if (known === null) return { kind: 'new', runKey, run: runIdOf(runKey, wanted.now) };
  return chooseKnown(known.claim, known.state, wanted.definitionDigests);
}

/** How a fleet stands by its newest claim. */
export interface Standing {
  /** Null: there was no run yet. */
  readonly newest: Claim | null;
  /** Its run, read where the claim is held; also one that is over and whose claim has not heard of it. */
  readonly run: ReadRun | null;
  /** The newest claim if it holds the fleet. One whose run has its result already only lacks its last line and holds nothing. */
  readonly unfinished: Claim | null;
}

export async function readStanding(store: JournalStore): Promise<Standing> {
  const newest = await currentClaim(store);
  if (newest === null || !newest.held) return { newest, run: null, unfinished: null };
  const run = await readRun(store, runFolder(newest.runKey));
  const isOver = run.state.result !== null || run.state.abandoned;
  return { newest, run, unfinished: isOver ? null : newest };
}

/** The claim that holds the fleet; null: none does. */
export async function unfinishedClaim(store: JournalStore): Promise<Claim | null> {
  return (await readStanding(store)).unfinished;
}

/** The claim of a run without result; also when the run is abandoned and only its claim has not heard of it. */
export async function endableClaim(store: JournalStore): Promise<Claim | null> {
  const claim = await currentClaim(store);
  if (claim === null || !claim.held) return null;
  return (await readRun(store, runFolder(claim.runKey))).state.result === null ? claim : null;
}

/**
 * For what moves the alias of a finished run.
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
      `${holdingWords(claim)}, begun with another definition. Give it its definition back, or end it with \`reindex-fleet abandon\`.`,
    );
  }
  return { kind: 'unfinished', claim, state: (await readRun(store, runFolder(claim.runKey))).state };
}

function chooseKnown(claim: Claim, state: RunState, digests: readonly string[]): ChosenRun {
  if (claim.ended === 'abandoned' || state.abandoned)
    throw new RunFailed(`the run with key ${claim.runKey} was abandoned; begin another with another key`);
  if (!sameDigests(claim, digests)) {
    const [then, now] = [digestsOf(claim), digests].map((list) => list.map((digest) => digest.slice(0, 12)));
    throw new RunFailed(
      `the run with key ${claim.runKey} was begun with another definition (${then?.join(', ')}, now ${now?.join(', ')}): give it its definition back, end it with \`reindex-fleet abandon\` if it is not finished, or choose another key`,
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

/** Which run has the fleet, for a sentence that says why something is refused. */
export function holdingWords(claim: Claim): string {
  return `the run with key ${claim.runKey} (${aliasWords(claim)}) holds the fleet since ${claim.at}`;
}

/** Sorts by time, is short, and is fit for an index name. */
function runIdOf(runKey: string, now: Date): string {
  const time = now
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
  return `${time}-${createHash('sha256').update(runKey).update(now.toISOString()).digest('hex').slice(0, 4)}`;
}
