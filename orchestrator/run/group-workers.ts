import type { AwsSettings } from '../aws/aws-settings.ts';
import { type AwsClients, openAws } from '../aws/clients.ts';
import { RunFailed } from '../errors.ts';
import { checkGroup, otherGroupFaults } from '../fleet/auto-scaling/check.ts';
import type { Wanted } from '../fleet/auto-scaling/check-group.ts';
import type { GroupRun } from '../fleet/auto-scaling/group-fleet.ts';
import { fleetPinOf, groupPinOf } from '../fleet/auto-scaling/group-pin.ts';
import { GroupReads } from '../fleet/auto-scaling/group-reads.ts';
import { readToken } from '../fleet/auto-scaling/token.ts';
import { WorkerClient } from '../fleet/worker-client.ts';
import type { CheckedFleet, FleetCheckOptions, PassWorkers, RunContext, WorkersBackend } from './context.ts';
import { groupTiming, openGroup, openGroupFleet } from './open-group.ts';

/** How a pass goes about with a group. `random` from 0 to below 1. */
export function groupPacing(
  settings: AwsSettings,
  random: () => number = Math.random,
): Pick<PassWorkers, 'timing' | 'outlivesProcess' | 'pauseMs' | 'readyTimeoutMs'> {
  return {
    timing: groupTiming(settings),
    outlivesProcess: true,
    pauseMs: () => settings.poll_interval_ms * (1 + JITTER * (random() - 0.5)),
    readyTimeoutMs: settings.ready_timeout_ms,
  };
}

/** Runs of one account share the limits of its calls: their looks should not fall together for long. */
const JITTER = 0.2;

/**
 * Instances of an Auto Scaling group as workers. They go on without this process, and wait for a resume until their lease
 * runs out.
 *
 * @param wanted what a run wants of its group
 */
export function groupWorkers(settings: AwsSettings, wanted: Wanted): WorkersBackend {
  return {
    check: (options) => checkWorkers(settings, wanted, options),
    open: (context) => openGroupWorkers(settings, context),
    openFleet: (pin) => openGroupFleet(settings, pin),
  };
}

async function checkWorkers(
  settings: AwsSettings,
  wanted: Wanted,
  { pin, underLock }: FleetCheckOptions,
): Promise<CheckedFleet> {
  const aws = openAws(settings.region);
  const fleet = openGroup(aws, settings, { run: null });
  try {
    const reads = new GroupReads(aws, settings.group);
    const changes = underLock ? fleet : null;
    const known = pin === null ? null : groupPinOf(pin);
    const checked = await checkGroup({ reads, settings, wanted, pin: known, changes });
    return { ...checked, pin: fleetPinOf(checked.pin) };
  } finally {
    await fleet.close();
  }
}

async function openGroupWorkers(settings: AwsSettings, context: RunContext): Promise<PassWorkers> {
  const { offline, identity, lock } = context;
  const run = groupRunOf(settings, context);
  const aws = openAws(settings.region);
  const token = await tokenOf(aws, settings);
  const fleet = openGroup(aws, settings, { run });
  const calls = new WorkerClient({
    run: identity.run,
    epoch: lock.epoch,
    token,
    timeoutMs: offline.settings.workers.call_timeout_ms,
  });
  return {
    fleet,
    calls,
    ...groupPacing(settings),
    close: async () => void (await Promise.all([fleet.close(), calls.close()])),
  };
}

function groupRunOf(settings: AwsSettings, { journal, identity }: RunContext): GroupRun {
  if (journal.state.pin === null) throw new Error(`run ${identity.runKey} is pinned to no fleet`);
  const pin = groupPinOf(journal.state.pin);
  for (const fault of otherGroupFaults(pin, settings)) throw new RunFailed(fault);
  return {
    id: identity.run,
    pin,
    startedAt: new Date(identity.startedAt),
    owns: (instance) => journal.state.cleared?.earlier.has(instance) === false,
  };
}

/** Closes the clients when it fails: nobody has them yet. */
async function tokenOf(aws: AwsClients, { group, token_parameter: parameter }: AwsSettings): Promise<string> {
  try {
    return await readToken(new GroupReads(aws, group), parameter);
  } catch (error) {
    aws.close();
    throw error;
  }
}
