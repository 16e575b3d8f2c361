import { z } from 'zod';
import { RunFailed } from '../../errors.ts';
import type { FleetPin } from '../../reconcile/fleet-pin.ts';

/** This kind's name in pins. */
export const AUTO_SCALING = 'auto-scaling';

const groupPinSchema = z.strictObject({
  region: z.string().min(1),
  group: z.string().min(1),
  template: z.strictObject({ id: z.string().min(1), version: z.string().min(1) }),
  image: z.string().min(1),
  /** The parameter that gives the template its image. Null when the template names the image itself. */
  parameter: z.strictObject({ name: z.string().min(1), version: z.int() }).nullable(),
});

/**
 * What every instance of a run is launched from. EC2 resolves a `resolve:ssm:` image at each launch, so the template's
 * version alone would pin nothing.
 */
export type GroupPin = Readonly<z.infer<typeof groupPinSchema>>;

export function fleetPinOf(pin: GroupPin): FleetPin {
  return { kind: AUTO_SCALING, data: pin };
}

/** @throws RunFailed when another kind of fleet wrote the pin */
export function groupPinOf({ data }: FleetPin): GroupPin {
  const parsed = groupPinSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new RunFailed(
    `the run's journal does not say what its Auto Scaling group is pinned to (${z.prettifyError(parsed.error)}): carry the run on with the version that began it, or end its instances by hand`,
  );
}
