import { type Accounting, type Cost, costOf } from '../plan/cost.ts';
import { instanceUse } from '../reconcile/account-instances.ts';
import { type Counts, countsIn } from '../reconcile/counts.ts';
import type { RunTarget } from '../reconcile/identity.ts';
import type { ReadAgain, RunResult, TargetResult } from '../reconcile/run-result.ts';
import { type EndedPass, passesOf, type RunState } from '../reconcile/state.ts';

/** What a finished run did up to `at`. */
export function resultOf(state: RunState, at: string, accounting: Accounting | null): RunResult {
  const { identity, phases } = state;
  if (identity === null) throw new Error('a run without identity has no result');
  const { retries, bytesSent, phaseSeconds } = state.totals;
  const targets = identity.targets.map((target) => targetResult(state, target));
  const reindex = phases.reindex?.record ?? null;
  return {
    status: 'done',
    run_key: identity.runKey,
    run: identity.run,
    fleet: identity.fleet,
    rows: targets[0]?.validated?.rows ?? mainCounts(state).rowsRead,
    retries,
    bytes_sent: bytesSent,
    documents_per_second: reindex?.documents_per_second ?? null,
    workers: reindex?.workers ?? null,
    boot_seconds: rounded(reindex?.boot_seconds ?? null),
    ...spentBy(state, at, accounting),
    phase_seconds: phaseSeconds,
    targets,
  };
}

/** The account is of the index as it was proven, however often its rows were read. */
function targetResult(state: RunState, { definition, alias, index }: RunTarget): TargetResult {
  const validated = validatedOf(state, index);
  const counted = countsIn(mainCounts(state), index);
  return {
    definition,
    alias,
    index,
    previous_indexes: state.promotions.get(index)?.removed.map((holder) => holder.index) ?? [],
    indexed: validated?.documents ?? counted.indexed,
    superseded: passesWriting(state, index).reduce(
      (sum, { counts }) => sum + countsIn(counts, index).superseded,
      0,
    ),
    filtered: validated?.filtered ?? counted.filtered,
    dead_letters: validated?.dead_letters ?? counted.deadLetters,
    read_again: readAgain(state, index),
    stale: state.phases.promote?.record?.targets.find((target) => target.index === index)?.stale ?? null,
    validated,
  };
}

function validatedOf({ phases }: RunState, index: string): TargetResult['validated'] {
  const found = phases.validate?.record?.targets.find((target) => target.index === index);
  if (found === undefined) return null;
  const { index: _, proof: __, ...validated } = found;
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

/** What passes after the main one read again for a target. */
function readAgain(state: RunState, index: string): ReadAgain {
  const again = passesWriting(state, index).filter(({ pass }) => pass.kind === 're-reading');
  const numbers = again.flatMap(({ pass }) => (pass.reads.kind === 'planned' ? [] : pass.reads.numbers));
  return {
    ranges: new Set(numbers).size,
    rows: again.reduce((sum, { counts }) => sum + counts.rowsRead, 0),
    passes: again.length,
  };
}

function passesWriting(state: RunState, index: string): readonly EndedPass[] {
  return passesOf(state).filter(({ pass }) => pass.targets.includes(index));
}
