import type { FleetTiming } from '../fleet/fleet-backend.ts';
import { priceOf, secondsFor } from '../plan/cost.ts';
import type { Limits } from '../reconcile/tick.ts';
import type { Settings } from '../settings.ts';

export interface LimitsSource {
  readonly settings: Pick<Settings, 'workers' | 'price' | 'backend'>;
  readonly build: string;
  /** Dead letters that end the run, by index. */
  readonly stopLimits: Limits['stopLimits'];
  /** In the currency of the settings; null: there is no bound. */
  readonly maxCost: number | null;
}

/** A range is cut only if its worker would need longer for the rest: telling it and beginning another COPY take a while. */
const SHARE_LEAST_MS = 2_000;

/** Workers end their tasks at once. It is enough for several looks, some of them without an answer. */
const DRAIN_TIMEOUT_MS = 15_000;

/** What a pass may use and wait for, from its settings and from what its fleet is. */
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
