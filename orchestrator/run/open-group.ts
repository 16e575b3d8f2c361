import type { AwsSettings } from '../aws/aws-settings.ts';
import { type AwsClients, openAws } from '../aws/clients.ts';
import { systemClock } from '../clock.ts';
import { GroupFleet, type GroupFleetOptions } from '../fleet/auto-scaling/group-fleet.ts';
import { groupPinOf } from '../fleet/auto-scaling/group-pin.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { FleetTiming, WorkersBackend } from './context.ts';

/** An instance shuts down seconds after it was told to; telling it again changes nothing, and mends a call that was throttled. */
const TERMINATE_TIMEOUT_MS = 20_000;

export function groupTiming(settings: AwsSettings): FleetTiming {
  return { zeroQuietMs: settings.zero_quiet_ms, terminateTimeoutMs: TERMINATE_TIMEOUT_MS };
}

/** With clients that are closed with it. */
export function openGroup(
  aws: AwsClients,
  { group, worker_port: workerPort }: AwsSettings,
  options: Pick<GroupFleetOptions, 'run' | 'mayBeGone'>,
): GroupFleet {
  return new GroupFleet({ aws, group, workerPort, clock: systemClock, ...options });
}

/** A group without its workers, see `WorkersBackend.openFleet`. */
export function openGroupFleet(
  settings: AwsSettings,
  pin: FleetPin | null,
): ReturnType<WorkersBackend['openFleet']> {
  const known = pin === null || pin.kind === 'local' ? null : groupPinOf(pin);
  const { region, group } = known ?? settings;
  const fleet = openGroup(openAws(region), { ...settings, group }, { run: null, mayBeGone: known !== null });
  return Promise.resolve({ fleet, timing: groupTiming(settings) });
}
