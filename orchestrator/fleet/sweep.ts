import type { Clock } from '../clock.ts';
import type { FleetLock } from '../journal/lock.ts';
import { emptyFleet } from './empty-fleet.ts';
import { type Fleet, type FleetInstance, isLive } from './fleet.ts';

export interface SweepOptions {
  readonly fleet: Fleet;
  /** The lock, held by the sweeper. Nobody gets it beside a run that lives. */
  readonly lock: FleetLock;
  /** When the unfinished run that holds the fleet last wrote, by that run's clock. Null when no run holds the fleet. */
  readonly lastWordAt: Date | null;
  /** How long a claimed fleet is left alone after its run's last word. Somebody may be about to resume the run. */
  readonly graceMs: number;
  readonly zeroQuietMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SweptFleet {
  /** The instances that were pending or running. */
  readonly found: readonly FleetInstance[];
  /** Until when they are left alone. Null when they were ended and the fleet is at zero. */
  readonly graceUntil: Date | null;
}

/** Enough for a cloud that ends machines slowly. A sweep that does not reach zero fails, and the next one goes on. */
const WITHIN_MS = 300_000;

/**
 * Brings a fleet to zero if no live run holds it. It ends instances only. The claim, the journal and the index of an
 * unfinished run stay, so the run can be carried on. If the first look shows zero, that counts, though the look may be
 * stale: the next sweep looks again, and a run that is about to begin need not wait for this one.
 *
 * @throws RunFailed when zero is not reached within five minutes
 */
export async function sweepFleet(options: SweepOptions): Promise<SweptFleet> {
  const { fleet, lock, lastWordAt, graceMs, zeroQuietMs, clock, signal } = options;
  const graceUntil = lastWordAt === null ? null : new Date(lastWordAt.getTime() + graceMs);
  const { desired, instances } = await fleet.observe();
  const found = instances.filter(isLive);
  if (graceUntil !== null && clock.now() < graceUntil) return { found, graceUntil };
  if (desired === 0 && found.length === 0) return { found, graceUntil: null };
  const requireHeld = (): void => lock.requireHeld();
  const emptying = { clock, requireHeld, signal, quietMs: zeroQuietMs, withinMs: WITHIN_MS };
  return { found: (await emptyFleet(fleet, emptying)).found, graceUntil: null };
}
