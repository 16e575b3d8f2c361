/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html */
export const MOST_SECONDS = 900;
/** The work of a sweep without its waits. A sweep that finds nothing takes seconds. Ending a thousand instances takes a minute. */
export const WORK_SECONDS = 270;

/** What a sweep waits for. */
export interface SweepWaits {
  /** The lease of the fleet's lock. The lock of a dead holder still counts for this long. */
  readonly leaseMs: number;
  /** A sweep trusts that it sees no instance only this long after the last change. */
  readonly zeroQuietMs: number;
}

/** How long a sweep may take. It waits for a dead holder's lock, ends instances, and looks whether they are gone. */
export function sweepTimeLimitSeconds({ leaseMs, zeroQuietMs }: SweepWaits): number {
  return WORK_SECONDS + Math.ceil((leaseMs + zeroQuietMs) / 1_000);
}
