import { autoScaling } from './auto-scaling/kind.ts';
import type { FleetKind } from './fleet-kind.ts';
import { local } from './local/kind.ts';

/** Every kind of fleet. A new kind is added here. */
export const FLEET_KINDS: readonly FleetKind[] = [local, autoScaling];

/**
 * The kind of a run whose settings choose none, and of a pass that works beside the orchestrator: processes on this
 * machine.
 */
export const DEFAULT_KIND = local;
