import type { Clock } from '../clock.ts';
import type { FleetLock } from '../journal/lock.ts';
import type { Reporter } from '../report/reporter.ts';
import { emptyFleet } from './empty-fleet.ts';
import type { Fleet } from './fleet.ts';

export interface SweepOptions {
  readonly fleet: Fleet;
  /** Held by the sweeper: beside a run that lives it never gets so far. */
  readonly lock: FleetLock;
  /** The unfinished run that holds the fleet, and when its journal was last written; null: none does. */
  readonly claimed: { readonly runKey: string; readonly writtenAt: Date } | null;
  /** A claimed fleet is left alone for so long after the last word of its run: somebody may be about to resume it. */
  readonly graceMs: number;
  readonly zeroQuietMs: number;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/**
 * Brings a fleet to zero that no live run holds, and says what it found. Only instances are ended: the claim, the
 * journal and the index of an unfinished run stay, and the run can be carried on.
 */
export async function sweepFleet(options: SweepOptions): Promise<{ ended: readonly string[] }> {
  const { fleet, lock, claimed, graceMs, zeroQuietMs, clock, reporter, signal } = options;
  if (claimed !== null && clock.now().getTime() - claimed.writtenAt.getTime() < graceMs) {
    reporter.note(`the run with key ${claimed.runKey} may be resumed any moment: nothing is touched`);
    return { ended: [] };
  }
  const requireHeld = (): void => lock.requireHeld();
  const ended = await emptyFleet(fleet, {
    clock,
    requireHeld,
    signal,
    quietMs: zeroQuietMs,
    withinMs: 300_000,
  });
  reporter.note(
    ended.length === 0 ? 'the fleet was at zero' : `ended ${ended.join(', ')}: no live run holds them`,
  );
  return { ended };
}
