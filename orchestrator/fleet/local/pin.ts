import type { FleetPin } from '../../reconcile/fleet-pin.ts';

/** This kind's name in pins. */
export const LOCAL = 'local';

/** Processes of this machine run its own sources, which the run's build stands for already. */
export const LOCAL_PIN: FleetPin = { kind: LOCAL, data: {} };
