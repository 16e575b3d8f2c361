import type { FleetPin } from '../../reconcile/fleet-pin.ts';

/** This kind's name in pins. */
export const LOCAL = 'local';

/** The pin of local processes. They run this machine's own sources, and the run's build stands for those. */
export const LOCAL_PIN: FleetPin = { kind: LOCAL, data: {} };
