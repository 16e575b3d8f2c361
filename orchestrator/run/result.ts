import { type Accounting, type Cost, costOf } from '../plan/cost.ts';
import { instanceUse } from '../reconcile/account-instances.ts';
import { addCounts, type Counts, countsIn, NO_COUNTS } from '../reconcile/counts.ts';
import type { RunTarget } from '../reconcile/identity.ts';
import { PHASE_NAMES } from '../reconcile/phases.ts';
import type { RunResult, TargetResult } from '../reconcile/run-result.ts';
import { passesOf, type RunState } from '../reconcile/state.ts';

/** What a finished run did up to `at`. */
export function resultOf(state: RunState, at: string, accounting: Accounting | null): RunResult {
  const { identity, phases } = state;
  if (identity === null) throw new Error('a run without identity has no result');
  const { rowsRead, retries, bytesSent } = mainCounts(state);
  const reindex = phases.reindex?.record ?? null;
  return {
    status: 'done',
    run_key: identity.runKey,
    run: identity.run,
    fleet: identity.fleet,
    rows: rowsRead,
    retries,
    bytes_sent: bytesSent,
    documents_per_second: reindex?.documents_per_second ?? null,
    workers: reindex?.workers ?? null,
    boot_seconds: rounded(reindex?.boot_seconds ?? null),
    ...spentBy(state, at, accounting),
    phase_seconds: phaseSeconds(state),
    targets: identity.targets.map((target) => targetResult(state, target)),
  };
}

function targetResult(state: RunState, { definition, alias, index }: RunTarget): TargetResult {
  const { indexed, superseded, filtered, deadLetters } = countsIn(mainCounts(state), index);
  return {
    definition,
    alias,
    index,
    previous_indexes: state.promotions.get(index)?.removed.map((holder) => holder.index) ?? [],
    indexed,
    superseded,
    filtered,
    dead_letters: deadLetters,
    rows_read_again: rereadCounts(state, index).rowsRead,
    validated: validatedOf(state, index),
  };
}

function validatedOf({ phases }: RunState, index: string): TargetResult['validated'] {
  const found = phases.validate?.record?.targets.find((target) => target.index === index);
  if (found === undefined) return null;
  const { index: _, ...validated } = found;
  return validated;
}

/** What a run's instances have used and cost. Null where nobody accounts for it, or no price is set. */
export interface Spent {
  readonly instances: number | null;
  /** The seconds of all instances together, as they are billed. */
  readonly instance_seconds: number | null;
  readonly cost: Cost | null;
}

export function spentBy(state: RunState, at: string, accounting: Accounting | null): Spent {
  if (accounting === null) return { instances: null, instance_seconds: null, cost: null };
  const { billing, price } = accounting;
  const use = instanceUse(state, at, billing);
  return {
    instances: use.instances,
    instance_seconds: Math.round(use.seconds),
    cost: price === null ? null : costOf(use, price),
  };
}

/** Rounds to a tenth. Null stays null. */
function rounded(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 10) / 10;
}

function mainCounts(state: RunState): Counts {
  return passesOf(state).find(({ pass }) => pass.kind === 'main')?.counts ?? state.counts;
}

/** What passes after the main one read again for a target, because its ranges did not match. */
function rereadCounts(state: RunState, index: string): Counts {
  return passesOf(state)
    .filter(({ pass }) => pass.kind === 're-reading' && pass.targets.includes(index))
    .map(({ counts }) => counts)
    .reduce(addCounts, NO_COUNTS);
}

function phaseSeconds({ phases }: RunState): RunResult['phase_seconds'] {
  return Object.fromEntries(
    PHASE_NAMES.flatMap((phase) => {
      const { startedAt, finishedAt = null } = phases[phase] ?? {};
      if (startedAt === undefined || finishedAt === null) return [];
      return [[phase, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000]];
    }),
  );
}
