import type { Clock } from '../clock.ts';
import { emptyFleet } from '../fleet/empty-fleet.ts';
import type { FleetInstance } from '../fleet/fleet.ts';
import type { FleetLock } from '../journal/lock.ts';
import type { FleetBackend } from '../fleet/fleet-backend.ts';

export interface EmptyingWorkers {
  readonly openFleet: () => ReturnType<FleetBackend['openFleet']>;
  readonly lock: FleetLock;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Brings a run's fleet to zero outside of a pass. It returns the instances that it found. */
export async function emptyWorkers({
  openFleet,
  lock,
  clock,
  signal,
}: EmptyingWorkers): Promise<readonly FleetInstance[]> {
  const { fleet, timing } = await openFleet();
  try {
    const requireHeld = (): void => lock.requireHeld();
    const options = { clock, requireHeld, signal, quietMs: timing.zeroQuietMs };
    return (await emptyFleet(fleet, options)).found;
  } finally {
    await fleet.close();
  }
}
