import { type AwsClients, openAws } from '../../aws/clients.ts';
import { systemClock } from '../../clock.ts';
import type { CommonSettings } from '../../common-settings.ts';
import { RunFailed } from '../../errors.ts';
import type { FleetPin } from '../../reconcile/fleet-pin.ts';
import type {
  CheckedFleet,
  FleetBackend,
  FleetCheckOptions,
  FleetPass,
  FleetTiming,
  OpenedFleet,
  PassWorkers,
} from '../fleet-backend.ts';
import { WorkerClient } from '../worker-client.ts';
import { checkGroup, otherGroupFaults } from './check.ts';
import type { Wanted } from './check-group.ts';
import { GroupFleet, type GroupFleetOptions, type GroupRun } from './group-fleet.ts';
import { GroupReads } from './group-reads.ts';
import { groupPinOf, fleetPinOf } from './group-pin.ts';
import type { AutoScalingSettings, GroupSettings } from './settings.ts';
import { readToken } from './token.ts';

/** @throws RunFailed when the settings name no region */
export function groupBackend(section: AutoScalingSettings, common: CommonSettings): FleetBackend {
  const { aws, fleet, workers } = common;
  if (aws === null)
    throw new RunFailed('the settings name no region for the Auto Scaling group: set aws.region');
  const settings = { ...section, region: aws.region, profile: aws.profile };
  return {
    check: (options) => checkWorkers(settings, { workers: workers.count, fleet }, options),
    open: (pass) => openGroupWorkers(settings, pass, workers.call_timeout_ms),
    openFleet: (pin) => Promise.resolve(openGroupFleet(settings, pin)),
  };
}

/** How often a pass looks at a group. `random` is from 0 to below 1. */
export function groupPacing(
  settings: AutoScalingSettings,
  random: () => number = Math.random,
): Pick<PassWorkers, 'timing' | 'pauseMs'> {
  return {
    timing: groupTiming(settings),
    pauseMs: () => settings.poll_interval_ms * (1 + JITTER * (random() - 0.5)),
  };
}

/**
 * Runs of one account share the limits of its calls. This share of a pause is random, so that their looks do not stay
 * in step.
 */
const JITTER = 0.2;

/**
 * An instance shuts down seconds after the call. A repeated call changes nothing, and it makes good for a throttled
 * one.
 */
const TERMINATE_TIMEOUT_MS = 20_000;

function groupTiming(settings: AutoScalingSettings): FleetTiming {
  return {
    zeroQuietMs: settings.zero_quiet_ms,
    terminateTimeoutMs: TERMINATE_TIMEOUT_MS,
    readyTimeoutMs: settings.ready_timeout_ms,
    capacityTimeoutMs: settings.capacity_timeout_ms,
  };
}

async function checkWorkers(
  settings: GroupSettings,
  wanted: Wanted,
  { pin, underLock }: FleetCheckOptions,
): Promise<CheckedFleet> {
  const known = pin && groupPinOf(pin);
  const aws = openAws(settings.region, settings);
  const reads = new GroupReads(aws, settings.group);
  const fleet = openGroup(aws, settings, { run: null });
  try {
    const changes = underLock ? fleet : null;
    const checked = await checkGroup({ reads, settings, wanted, pin: known, changes });
    return { pin: fleetPinOf(checked.pin), warnings: checked.warnings };
  } finally {
    await fleet.close();
  }
}

async function openGroupWorkers(
  settings: GroupSettings,
  pass: FleetPass,
  timeoutMs: number,
): Promise<PassWorkers> {
  const run = groupRunOf(settings, pass);
  const aws = openAws(settings.region, settings);
  const fleet = openGroup(aws, settings, { run });
  try {
    const token = await readToken(new GroupReads(aws, settings.group), settings.token_parameter);
    const calls = new WorkerClient({ run: pass.run, epoch: pass.epoch, token, timeoutMs });
    const close = async (): Promise<void> => void (await Promise.all([fleet.close(), calls.close()]));
    return { fleet, calls, ...groupPacing(settings), close };
  } catch (error) {
    // Nobody else has it yet.
    await fleet.close();
    throw error;
  }
}

function groupRunOf(settings: GroupSettings, pass: FleetPass): GroupRun {
  const pin = groupPinOf(pass.pin);
  for (const fault of otherGroupFaults(pin, settings)) throw new RunFailed(fault);
  return {
    id: pass.run,
    pin,
    startedAt: new Date(pass.startedAt),
    owns: (instance) => pass.state().cleared?.earlier.has(instance) === false,
  };
}

/** Opens the group with AWS clients that close with it. */
function openGroup(
  aws: AwsClients,
  { group, worker_port: workerPort }: Pick<GroupSettings, 'group' | 'worker_port'>,
  options: Pick<GroupFleetOptions, 'run' | 'mayBeGone'>,
): GroupFleet {
  return new GroupFleet({ aws, group, workerPort, clock: systemClock, ...options });
}

/**
 * Opens the fleet of a run. The group may have been deleted since; then only the instances that it left behind are
 * there.
 */
function openGroupFleet(settings: GroupSettings, pin: FleetPin | null): OpenedFleet {
  const run = pin && groupPinOf(pin);
  const { region, group } = run ?? settings;
  const options = { run: null, mayBeGone: run !== null };
  const fleet = openGroup(openAws(region, settings), { ...settings, group }, options);
  return { fleet, timing: groupTiming(settings) };
}
