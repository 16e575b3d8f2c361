/** The longest pause of a cluster's `Retry-After` that the worker obeys. */
const MAX_RETRY_AFTER_MS = 60_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;

/**
 * The pause before the next try in milliseconds. It grows exponentially. Half of it is random, so that workers do not come
 * back all at once ("equal jitter", AWS Architecture Blog, "Exponential Backoff And Jitter").
 * @param failures how many tries failed so far, at least 1
 * @param random a number from 0 to below 1
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 20));
  return ceiling / 2 + (ceiling / 2) * random;
}

/** Reads a `Retry-After` header (RFC 9110 section 10.2.3: seconds or a date), at most a minute; null when there is none. */
export function retryAfterMs(header: string | undefined, nowEpochMs: number): number | null {
  if (header === undefined) return null;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowEpochMs;
  return Number.isNaN(wait) ? null : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, wait));
}
