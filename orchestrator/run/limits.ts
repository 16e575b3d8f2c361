import type { FleetTiming } from '../fleet/fleet-backend.ts';
import { priceOf, secondsFor } from '../plan/cost.ts';
import type { Limits } from '../reconcile/tick.ts';
import type { Settings } from '../settings.ts';

export interface LimitsSource {
  readonly settings: Pick<Settings, 'workers' | 'price' | 'backend'>;
  readonly build: string;
  /** How many dead letters end the run, by index. */
  readonly stopLimits: Limits['stopLimits'];
  /** The most that the run may cost, in the currency of the settings. Null: there is no bound. */
  readonly maxCost: number | null;
}

/**
 * A range is cut only if its worker would need longer than this for the rest. To tell the worker and to begin another
 * COPY take a while.
 */
const SHARE_LEAST_MS = 2_000;

/** A worker ends its tasks at once. This is enough for several looks, some of them without an answer. */
const DRAIN_TIMEOUT_MS = 15_000;

/** What a pass may use and how long it may wait, by its settings and its fleet. */
export function limitsOf(
  { settings, build, stopLimits, maxCost }: LimitsSource,
  timing: FleetTiming,
): Limits {
  const { workers, backend } = settings;
  const price = priceOf(settings);
  return {
    workers: workers.count,
    replacements: workers.replacements,
    attempts: workers.attempts,
    build,
    stopLimits,
    minimum: workers.minimum,
    mostInstanceSeconds: maxCost === null || price === null ? null : secondsFor(maxCost, price),
    billing: backend.traits.billing,
    lostAfterMs: workers.lost_after_ms,
    stallTimeoutMs: workers.stall_timeout_ms,
    waitingTimeoutMs: workers.waiting_timeout_ms,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    ...timing,
    shareLeastMs: SHARE_LEAST_MS,
  };
}
