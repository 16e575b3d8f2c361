import type { Clock } from '../clock.ts';
import { messageOf, RunFailed, Throttled } from '../errors.ts';
import { type Fleet, type FleetInstance, isLive } from './fleet.ts';
import { tellEach } from './tell-each.ts';

export interface EmptyingOptions {
  readonly clock: Clock;
  /** Throws when the lock is lost. */
  readonly requireHeld: () => void;
  readonly signal: AbortSignal;
  /** The longest time to reach zero, in milliseconds. */
  readonly withinMs?: number;
  /**
   * Zero counts when a look shows it this long after the last change made here, and this long after the first look.
   * Somebody else may have changed the fleet just before (see `Limits.zeroQuietMs`).
   */
  readonly quietMs?: number;
}

const WITHIN_MS = 120_000;
const LOOK_AGAIN_MS = 500;
/** A look may be stale. An instance that is still shown as alive this long after it was told to end is told again. */
const TELL_AGAIN_MS = 10_000;

export interface Emptied {
  /** The instances that were pending or running. */
  readonly found: readonly FleetInstance[];
  /** All instances that the last look showed. Every one of them is ending or has ended. */
  readonly gone: readonly FleetInstance[];
}

/**
 * Brings a fleet to zero without a run. It sets the desired capacity to 0, then terminates every instance without
 * decrement. Both calls may be repeated, so nothing is recorded.
 *
 * @throws RunFailed when zero is not reached in time
 */
export async function emptyFleet(fleet: Fleet, options: EmptyingOptions): Promise<Emptied> {
  const { clock, requireHeld, signal, withinMs = WITHIN_MS, quietMs = 0 } = options;
  const found = new Map<string, FleetInstance>();
  const terminations = new Terminations(fleet, options);
  const deadlineMs = clock.monotonicMs() + withinMs;
  let changedMs = clock.monotonicMs();
  let fault = 'instances are still there; run `reindex-fleet sweep` again';
  while (clock.monotonicMs() <= deadlineMs) {
    try {
      const { desired, instances } = await fleet.observe();
      const live = instances.filter(isLive);
      if (desired === 0 && live.length === 0 && clock.monotonicMs() - changedMs >= quietMs)
        return { found: [...found.values()], gone: instances };
      if (desired !== 0 || live.length > 0) {
        changedMs = clock.monotonicMs();
        requireHeld();
        if (desired !== 0) await fleet.setDesired(0);
        for (const instance of live) found.set(instance.id, instance);
        await terminations.call(live.map(({ id }) => id));
      }
    } catch (error) {
      requireHeld();
      fault = messageOf(error);
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
  throw new RunFailed(`the fleet is not at zero after ${Math.round(withinMs / 1000)} s: ${fault}`);
}

class Terminations {
  readonly #fleet: Fleet;
  readonly #options: EmptyingOptions;
  /** When each instance was last told to end. */
  readonly #toldMs = new Map<string, number>();

  constructor(fleet: Fleet, options: EmptyingOptions) {
    this.#fleet = fleet;
    this.#options = options;
  }

  /**
   * Tells each instance to end, unless it was told just before. A failed call does not stop the others. The first
   * failure is thrown after all calls.
   */
  async call(instances: readonly string[]): Promise<void> {
    const { clock, requireHeld } = this.#options;
    const failures: unknown[] = [];
    const due = instances.filter((id) => !this.#wasJustTold(id));
    await tellEach(due, async (instance) => {
      requireHeld();
      try {
        await this.#fleet.terminate(instance, { decrement: false });
        this.#toldMs.set(instance, clock.monotonicMs());
      } catch (error) {
        failures.push(error);
        if (error instanceof Throttled) throw error;
      }
    });
    if (failures.length > 0) throw failures[0];
  }

  #wasJustTold(instance: string): boolean {
    const toldMs = this.#toldMs.get(instance);
    return toldMs !== undefined && this.#options.clock.monotonicMs() - toldMs < TELL_AGAIN_MS;
  }
}
