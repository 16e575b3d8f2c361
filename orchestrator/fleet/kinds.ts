import { autoScaling } from './auto-scaling/kind.ts';
import type { FleetKind } from './fleet-kind.ts';
import { local } from './local/kind.ts';

/** Every kind of fleet. A new one joins here. */
export const FLEET_KINDS: readonly FleetKind[] = [local, autoScaling];

/** Processes of this machine: where workers run if the settings do not say, and beside the orchestrator in passes that want that. */
export const USUAL_KIND = local;
