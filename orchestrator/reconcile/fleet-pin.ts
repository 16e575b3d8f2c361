import { z } from 'zod';

/**
 * What every worker of a run is launched from, as its kind of fleet writes it. The core carries and compares it. Only
 * the kind knows what `data` means.
 */
export const fleetPinSchema = z.strictObject({
  kind: z.string().min(1),
  data: z.record(z.string(), z.json()),
});

export type FleetPin = z.infer<typeof fleetPinSchema>;
