import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import type { Claim } from '../journal/claims.ts';
import type { FleetLock } from '../journal/lock.ts';
import { abandonRun } from './abandon-run.ts';
import { type BegunRun, type Preparation, prepareRun } from './begin-run.ts';
import { type ChosenRun, type NewRun, runAgain } from './choose-run.ts';
import { OutdatedRun } from './outdated-run.ts';

/** An unfinished run that a command begins anew. */
export interface OutdatedChoice {
  readonly kind: 'outdated';
  readonly claim: Claim;
  readonly why: string;
}

export interface Restarting {
  /** Whether the command may begin an outdated run anew. */
  readonly restart: boolean;
  readonly cluster: SearchCalls;
  readonly lock: FleetLock;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Prepares the chosen run. An outdated run is begun anew under its key if the command may do that. The new run is planned
 * first: if its definition has a fault, the earlier run stays as it is.
 */
export async function prepareOrRestart(
  preparation: Preparation,
  chosen: ChosenRun | OutdatedChoice,
  options: Restarting,
): Promise<{ readonly chosen: ChosenRun; readonly begun: BegunRun }> {
  if (chosen.kind === 'outdated') return beginAnew(preparation, chosen, options);
  try {
    return { chosen, begun: await prepareRun(preparation, chosen) };
  } catch (error) {
    // Nothing is left of a run that gave its claim back, so nobody has to be asked.
    if (!(error instanceof OutdatedRun) || (error.claim.held && !options.restart)) throw error;
    return beginAnew(preparation, error, options);
  }
}

async function beginAnew(
  preparation: Preparation,
  { claim, why }: Pick<OutdatedChoice, 'claim' | 'why'>,
  { cluster, lock, clock, signal }: Restarting,
): Promise<{ readonly chosen: NewRun; readonly begun: BegunRun }> {
  const { offline, reporter, workers } = preparation;
  const { runKey } = claim;
  reporter.note(`${why}: the run begins anew`);
  const chosen = runAgain(runKey, clock.now());
  const begun = await prepareRun(preparation, chosen);
  signal.throwIfAborted();
  const openFleet: typeof workers.openFleet = (pin) => workers.openFleet(pin);
  if (!claim.held) return { chosen, begun };
  const ended = await abandonRun({ store: offline.store, cluster, openFleet, lock, clock, signal, runKey });
  if (ended === null)
    throw new RunFailed(`run ${runKey} ended meanwhile: give the same command again to see how it ended`);
  return { chosen, begun };
}
