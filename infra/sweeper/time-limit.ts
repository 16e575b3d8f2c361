/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html */
export const MOST_SECONDS = 900;
/** Beside what a sweep waits for: one that finds nothing takes seconds, one that ends a thousand instances about a minute. */
export const WORK_SECONDS = 270;

/** What a sweep waits for. */
export interface SweepWaits {
  /** Of the fleet's lock: a dead holder's still counts for so long. */
  readonly leaseMs: number;
  /** Zero is believed so long after the last change. */
  readonly zeroQuietMs: number;
}

/** How long a sweep may take: it outlasts a dead holder's lock, ends what it finds, and looks whether that is gone. */
export function sweepTimeLimitSeconds({ leaseMs, zeroQuietMs }: SweepWaits): number {
  return WORK_SECONDS + Math.ceil((leaseMs + zeroQuietMs) / 1_000);
}
