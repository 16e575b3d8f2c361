import type { Clock } from '../clock.ts';
import type { FleetLock } from '../journal/lock.ts';
import { emptyFleet } from './empty-fleet.ts';
import { type Fleet, type FleetInstance, isLive } from './fleet.ts';

export interface SweepOptions {
  readonly fleet: Fleet;
  /** Held by the sweeper: beside a run that lives it never gets so far. */
  readonly lock: FleetLock;
  /** The last word of the unfinished run that holds the fleet, by its own clock; null: no run holds it. */
  readonly lastWordAt: Date | null;
  /** A claimed fleet is left alone for so long after the last word of its run: somebody may be about to resume it. */
  readonly graceMs: number;
  readonly zeroQuietMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SweptFleet {
  /** Instances that were pending or running. */
  readonly found: readonly FleetInstance[];
  /** Until when they are left alone; null: they were ended, and the fleet is at zero. */
  readonly graceUntil: Date | null;
}

/** Enough for a cloud that is slow to end machines; a sweep that does not reach zero fails, and the next goes on. */
const WITHIN_MS = 300_000;

/**
 * Brings a fleet to zero that no live run holds. Only instances are ended: the claim, the journal and the index of an
 * unfinished run stay, and the run can be carried on. A first look that shows zero is believed, though it may be stale:
 * the next sweep looks again, and a run that is about to begin need not wait for this one.
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
