/** How long a fleet's lock counts that is not renewed: short, so that a pause can outlast it. */
export const LOCK_LEASE_MS = 2_500;
/** After this time without an orchestrator a worker ends itself. */
export const WORKER_LEASE_MS = 6_000;
