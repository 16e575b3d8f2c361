import type { Clock } from '../clock.ts';
import { messageOf, RunFailed, Throttled } from '../errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { renewLeases, observeFleet, type Outcome, type Seen } from '../fleet/observe.ts';
import { tellEach } from '../fleet/tell-each.ts';
import type { WorkerCalls } from '../fleet/worker-client.ts';
import type { Effect } from '../reconcile/draft.ts';
import type { RunState } from '../reconcile/state.ts';
import type { Limits } from '../reconcile/tick.ts';

export interface WatchedFleetOptions {
  readonly fleet: Fleet;
  readonly workers: WorkerCalls;
  readonly limits: Pick<Limits, 'waitingTimeoutMs'>;
  readonly clock: Clock;
  /** Called with a sentence when calls have failed for a while, and when they succeed again. */
  readonly onTrouble: (sentence: string) => void;
  /** Throws when the lock is lost. It is asked right before each call that changes something. */
  readonly requireHeld: () => void;
}

/** A call that fails for less than this is no news: the next look and tick deal with it. */
const TELL_AFTER_MS = 5_000;

type TerminateCall = Extract<Effect, { type: 'terminate' }>;

/**
 * The fleet, whose calls may fail. A later look shows what a call did. Only a call that fails for long ends the pass,
 * whatever the other calls do.
 */
export class WatchedFleet {
  readonly #options: WatchedFleetOptions;
  /** Since when each call has failed, and when it last failed. */
  readonly #failing = new Map<string, { readonly sinceMs: number; readonly lastMs: number }>();
  /** The failing calls that a person was told of. */
  readonly #told = new Set<string>();
  /** Where the workers were at the last look. */
  #urls: readonly string[] = [];
  #adopted: ReadonlySet<string> = new Set();

  constructor(options: WatchedFleetOptions) {
    this.#options = options;
  }

  /** Looks at the fleet. Null when it could not be seen this time. */
  async observe(state: RunState, outcome: Outcome): Promise<Seen | null> {
    const { fleet, workers, clock } = this.#options;
    try {
      const seen = await this.#watch('describe', () =>
        observeFleet({ fleet, workers, adopted: this.#adopted }, state, outcome, clock.now()),
      );
      if (seen === null) await renewLeases(workers, this.#urls);
      else this.#note(seen);
      return seen;
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      await renewLeases(workers, this.#urls);
      return null;
    }
  }

  /**
   * Sets the desired capacity.
   *
   * @returns false when the call failed but may have taken effect
   * @throws Throttled when it certainly did not take effect
   */
  async setDesired(count: number): Promise<boolean> {
    const { fleet, requireHeld } = this.#options;
    requireHeld();
    return (await this.#watch('set the desired capacity', () => fleet.setDesired(count))) !== null;
  }

  /** @returns the instances whose call certainly did nothing */
  async terminate(terminations: readonly TerminateCall[]): Promise<string[]> {
    const { fleet, requireHeld } = this.#options;
    const decrements = new Map(terminations.map(({ instance, decrement }) => [instance, decrement]));
    return tellEach([...decrements.keys()], async (instance) => {
      const decrement = decrements.get(instance) === true;
      requireHeld();
      await this.#watch(`terminate ${instance}`, () => fleet.terminate(instance, { decrement }));
    });
  }

  #note({ urls, adopted }: Seen): void {
    this.#urls = [...urls.values()];
    this.#adopted = adopted;
  }

  /** Makes a call. Null when it failed but may have taken effect. */
  async #watch<T>(what: string, work: () => Promise<T>): Promise<T | null> {
    try {
      const result = await work();
      this.#failing.delete(what);
      if (this.#told.delete(what)) this.#options.onTrouble(`calls to the fleet (${what}) succeed again`);
      return result;
    } catch (error) {
      this.#noteFailure(what, messageOf(error));
      if (error instanceof Throttled) throw error;
      return null;
    }
  }

  #noteFailure(what: string, reason: string): void {
    const { clock, limits } = this.#options;
    const nowMs = clock.monotonicMs();
    const before = this.#failing.get(what);
    // A call that was not repeated for long had taken effect after all.
    const goesOn = before !== undefined && nowMs - before.lastMs < limits.waitingTimeoutMs / 2;
    const sinceMs = goesOn ? before.sinceMs : nowMs;
    this.#failing.set(what, { sinceMs, lastMs: nowMs });
    const failedMs = nowMs - sinceMs;
    if (failedMs >= TELL_AFTER_MS && !this.#told.has(what)) {
      this.#told.add(what);
      this.#options.onTrouble(`calls to the fleet fail (${what}): ${reason}`);
    }
    if (failedMs <= limits.waitingTimeoutMs) return;
    throw new RunFailed(
      `calls to the fleet (${what}) have failed for ${Math.round(failedMs / 1000)} s, last: ${reason}. The fleet may not be at zero: remove the cause and run the same command again.`,
    );
  }
}
