import { runFolder } from '../../orchestrator/journal/claims.ts';
import { readRun } from '../../orchestrator/journal/run-journal.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { workersLost } from '../../orchestrator/reconcile/account-instances.ts';
import { totalOf } from '../../orchestrator/reconcile/counts.ts';
import { passesOf, type RunState } from '../../orchestrator/reconcile/state.ts';
import type { Standing } from '../../orchestrator/run/choose-run.ts';
import type { Swept } from '../../orchestrator/run/sweep.ts';
import type { SweepMeasure } from './metrics.ts';

/** By metric; see `measureSweep`. */
export type SweepMeasures = Readonly<Record<SweepMeasure, number>>;

/** A run that has ended is recent for so many intervals of the schedule: its last figures are then seen once or twice. */
export const RECENT_INTERVALS = 2;

/**
 * What a sweep leaves for alarms; null: the fleet is at rest, nothing is to be written.
 *
 * - `instancesWithoutRun`: instances that were pending or running while no live process drove the fleet, whether this
 *   sweep ended them or left them alone for an unfinished run's grace. They cost money in both cases, and that their
 *   orchestrator is gone is to be known before the grace is over, for somebody can still carry the run on. Whoever wants
 *   to hear only of what outlasts a grace sets the alarm to more sweeps in a row than fit into it.
 * - `deadLetters`: rows that became none in all passes of the run, by its journal: a range's count comes when its task
 *   has ended, and what was read again counts again.
 * - `workersLost`: see `workersLost` of the account of instances.
 *
 * @param run the unfinished run, or one that has just ended (`recentRun`); null: there is none
 */
export function measureSweep(
  { drivenBy, found }: Pick<Swept, 'drivenBy' | 'found'>,
  run: RunState | null,
): SweepMeasures | null {
  const instancesWithoutRun = drivenBy === null ? found.length : 0;
  if (run === null)
    return instancesWithoutRun === 0 ? null : { instancesWithoutRun, deadLetters: 0, workersLost: 0 };
  return { instancesWithoutRun, deadLetters: deadLettersOf(run), workersLost: workersLost(run) };
}

/**
 * The run whose figures count: the unfinished one, or the newest if it ended at or after `since`. Only its journal is
 * read, which is safe beside the process that drives it; of a fleet at rest not even that.
 */
export async function recentRun(
  store: JournalStore,
  { newest, run, unfinished }: Standing,
  since: Date,
): Promise<RunState | null> {
  if (newest === null) return null;
  if (unfinished !== null) return run?.state ?? null;
  const endedAt = run?.writtenAt ?? new Date(newest.at);
  if (endedAt < since) return null;
  return (run ?? (await readRun(store, runFolder(newest.runKey)))).state;
}

function deadLettersOf(run: RunState): number {
  return passesOf(run).reduce((sum, { counts }) => sum + totalOf(counts, 'deadLetters'), 0);
}
