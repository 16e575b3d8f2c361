/** How long a fleet's lock counts without renewal. It is short, so that a pause can outlast it. */
export const LOCK_LEASE_MS = 2_500;
/** A worker ends itself after this time without an orchestrator. */
export const WORKER_LEASE_MS = 6_000;
