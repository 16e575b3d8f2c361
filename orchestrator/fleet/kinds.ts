import { autoScaling } from './auto-scaling/kind.ts';
import type { FleetKind } from './fleet-kind.ts';
import { local } from './local/kind.ts';

/** Every kind of fleet. A new one joins here. */
export const FLEET_KINDS: readonly FleetKind[] = [local, autoScaling];

/** Where workers run if the settings do not say. */
export const USUAL_KIND = local;
