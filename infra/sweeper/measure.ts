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

/** For this many intervals of the schedule an ended run is recent. So one or two sweeps write its last figures. */
export const RECENT_INTERVALS = 2;

/**
 * The figures that a sweep writes for alarms. Null: the fleet is at rest and there is nothing to write.
 *
 * - `instancesWithoutRun`: instances that were pending or running while no live process drove the fleet. It counts those that
 *   this sweep ended, and those that it left alone for an unfinished run's grace. Both cost money. A person should know before
 *   the grace is over that the orchestrator is gone, because they can still carry the run on. To hear only of instances that
 *   outlast a grace, set the alarm to more sweeps in a row than fit into the grace.
 * - `deadLetters`: rows that became dead letters in all passes of the run, by its journal. A range is counted when its task has
 *   ended. Rows that are read again count again.
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
 * The run whose figures count: the unfinished one, or the newest if it ended at or after `since`. This reads only its journal,
 * which does not disturb the process that drives it. For a fleet at rest it reads no journal.
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
  return (run ?? (await readRun(store, newest.folder))).state;
}

function deadLettersOf(run: RunState): number {
  return passesOf(run).reduce((sum, { counts }) => sum + totalOf(counts, 'deadLetters'), 0);
}
