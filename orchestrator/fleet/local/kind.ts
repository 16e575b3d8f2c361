import { fleetKind } from '../fleet-kind.ts';
import { LOCAL } from './pin.ts';
import { localSection } from './settings.ts';

/** Processes on this machine, which end with the orchestrator. */
export const local = fleetKind({
  kind: LOCAL,
  section: 'local',
  workersWords: 'Workers on this machine',
  reachesThisMachine: true,
  outlivesProcess: false,
  isPaidFor: false,
  billing: { leastSeconds: 0 },
  formerNames: { workers: ['poll_interval_ms', 'ready_timeout_ms', 'lease_ms'] },
  schema: localSection,
  faultsWith: () => [],
  sweepGraceMs: () => 0,
  connect: async (section, common) => {
    const { localBackend } = await import('./local-backend.ts');
    return localBackend(section, common);
  },
});
