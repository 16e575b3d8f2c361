import { z } from 'zod';
import { RunFailed } from '../../errors.ts';
import type { FleetPin } from '../../reconcile/fleet-pin.ts';

const KIND = 'auto-scaling';

const groupPinSchema = z.strictObject({
  region: z.string(),
  group: z.string(),
  template: z.strictObject({ id: z.string(), version: z.string() }),
  image: z.string(),
  /** Where the template takes its image from; null: it names the image itself. */
  parameter: z.strictObject({ name: z.string(), version: z.number() }).nullable(),
});

/**
 * What every instance of a run is launched from. A `resolve:ssm:` image is resolved at each launch, so the version of the
 * template alone would pin nothing.
 */
export type GroupPin = z.infer<typeof groupPinSchema>;

export function fleetPinOf(pin: GroupPin): FleetPin {
  return { kind: KIND, data: pin };
}

/** @throws RunFailed when the run has another kind of fleet */
export function groupPinOf(pin: FleetPin): GroupPin {
  const parsed = groupPinSchema.safeParse(pin.data);
  if (pin.kind === KIND && parsed.success) return parsed.data;
  throw new RunFailed(
    'the run was begun with workers on this machine, and these settings have a section aws: carry it on with the settings that it began with',
  );
}
