import type { Clock } from '../clock.ts';
import { messageOf, RunFailed } from '../errors.ts';
import type { Fleet, FleetInstance } from './fleet.ts';

export interface EmptyingOptions {
  readonly clock: Clock;
  /** Throws when the lock is lost. */
  readonly requireHeld: () => void;
  readonly signal: AbortSignal;
  /** Longest time to reach zero, in milliseconds. */
  readonly withinMs?: number;
  /**
   * Zero is believed when it is seen so long after the last change that was made here, and after the first look: whoever
   * changed the fleet before may have done so just now (see `Limits.zeroQuietMs`).
   */
  readonly quietMs?: number;
}

const WITHIN_MS = 120_000;
const LOOK_AGAIN_MS = 500;

/**
 * Brings a fleet to zero without a run: desired capacity 0, then every instance is terminated without decrement. Both
 * may be repeated as often as they are needed, so nothing is recorded. Resolves with the instances that it found.
 *
 * @throws RunFailed when zero is not reached in time
 */
export async function emptyFleet(fleet: Fleet, options: EmptyingOptions): Promise<FleetInstance[]> {
  const { clock, requireHeld, signal, withinMs = WITHIN_MS, quietMs = 0 } = options;
  const found = new Map<string, FleetInstance>();
  const deadlineMs = clock.monotonicMs() + withinMs;
  let changedMs = clock.monotonicMs();
  let fault = 'instances are still there';
  while (clock.monotonicMs() <= deadlineMs) {
    try {
      const { desired, instances } = await fleet.observe();
      const live = instances.filter(isLive);
      if (desired === 0 && live.length === 0 && clock.monotonicMs() - changedMs >= quietMs)
        return [...found.values()];
      if (desired !== 0 || live.length > 0) {
        changedMs = clock.monotonicMs();
        requireHeld();
        if (desired !== 0) await fleet.setDesired(0);
        for (const instance of live) found.set(instance.id, instance);
        await terminateAll(fleet, live, requireHeld);
      }
    } catch (error) {
      requireHeld();
      fault = messageOf(error);
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
  throw new RunFailed(`the fleet is not at zero after ${Math.round(withinMs / 1000)} s: ${fault}`);
}

/** Each is told, also behind one whose call fails; the first failure is thrown when all were. */
async function terminateAll(
  fleet: Fleet,
  instances: readonly FleetInstance[],
  requireHeld: () => void,
): Promise<void> {
  const failures: unknown[] = [];
  for (const { id } of instances) {
    requireHeld();
    try {
      await fleet.terminate(id, { decrement: false });
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

export function isLive({ phase }: FleetInstance): boolean {
  return phase === 'pending' || phase === 'running';
}
