import { type Accounting, type Cost, costOf } from '../plan/cost.ts';
import { targetNames } from '../index/names.ts';
import { instanceUse } from '../reconcile/account-instances.ts';
import { addCounts, NO_COUNTS } from '../reconcile/counts.ts';
import type { PhaseRecord } from '../reconcile/events.ts';
import type { RunState } from '../reconcile/state.ts';

/** What a finished run did by `at`, as the last line of its output says it and its journal keeps it. */
export function resultOf(state: RunState, at: string, accounting: Accounting | null): PhaseRecord {
  const { identity, phases, promotion } = state;
  if (identity === null) throw new Error('a run without identity has no result');
  const counts = mainPassCounts(state);
  const reindex = phases.reindex?.record ?? {};
  return {
    status: 'done',
    run_key: identity.runKey,
    run: identity.run,
    alias: identity.alias,
    index: targetNames(identity.alias, identity.run).index,
    previous_indexes: promotion?.previous_indexes ?? [],
    rows: counts.rowsRead,
    indexed: counts.indexed,
    superseded: counts.superseded,
    filtered: counts.filtered,
    dead_letters: counts.deadLetters,
    retries: counts.retries,
    bytes_sent: counts.bytesSent,
    rows_read_again: rereadCounts(state).rowsRead,
    documents_per_second: reindex.documents_per_second ?? null,
    workers: reindex.workers ?? null,
    boot_seconds: rounded(reindex.boot_seconds),
    ...spentBy(state, at, accounting),
    validated: phases.validate?.record ?? null,
    phase_seconds: phaseSeconds(state),
  };
}

/** What a run's instances have used and cost; null where nobody accounts for them, or has said what one costs. */
export interface Spent {
  readonly instances: number | null;
  /** Of all instances together, as they are billed. */
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

/** To a tenth; null: there is none. */
function rounded(seconds: unknown): number | null {
  return typeof seconds === 'number' ? Math.round(seconds * 10) / 10 : null;
}

function mainPassCounts(state: RunState) {
  return state.earlierPasses.find(({ pass }) => pass === state.mainPass)?.counts ?? state.counts;
}

/** Rows that passes after the main one read again, because a range did not match. */
function rereadCounts(state: RunState) {
  const later = state.earlierPasses.filter(({ pass }) => pass !== state.mainPass).map(({ counts }) => counts);
  return [...later, ...(state.pass === state.mainPass ? [] : [state.counts])].reduce(addCounts, NO_COUNTS);
}

function phaseSeconds(state: RunState): Record<string, number> {
  return Object.fromEntries(
    Object.entries(state.phases).flatMap(([phase, { startedAt, finishedAt }]) =>
      finishedAt === null ? [] : [[phase, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000]],
    ),
  );
}
