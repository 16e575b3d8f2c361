import { besideOrchestrator, pinOf } from '../fleet/connect-fleet.ts';
import type { FleetBackend, FleetTiming, PassWorkers } from '../fleet/fleet-backend.ts';
import type { Limits } from '../reconcile/tick.ts';
import type { RunContext } from '../run/context.ts';
import { limitsOf } from '../run/limits.ts';
import { urlWithPassword } from '../run/source-connection.ts';
import type { Pass } from './pass.ts';
import { targetsOf } from './pass-targets.ts';

export interface OpenedPassWorkers extends PassWorkers {
  /** True when they go on for a while without this process and wait for it to come back. */
  readonly outlivesProcess: boolean;
}

/** Opens the workers of a pass: the run's fleet, or one process beside the orchestrator, which ends with it. */
export async function openPassWorkers(context: RunContext, pass: Pass): Promise<OpenedPassWorkers> {
  const { settings } = context.offline;
  if (pass.workers === 'fleet') {
    const { outlivesProcess } = settings.backend.traits;
    return { ...(await open(context, pass, context.workers)), outlivesProcess };
  }
  const beside = await besideOrchestrator(settings);
  return { ...(await open(context, pass, beside)), outlivesProcess: false };
}

function open(
  { journal, identity, lock, connections }: RunContext,
  { number }: Pass,
  backend: FleetBackend,
): Promise<PassWorkers> {
  return backend.open({
    run: identity.run,
    startedAt: identity.startedAt,
    pin: pinOf(journal.state),
    epoch: lock.epoch,
    pass: number,
    state: () => journal.state,
    sourceUrl: urlWithPassword(connections.sourceAddress),
    targetUrl: connections.targetUrl,
  });
}

export function passLimits(context: RunContext, pass: Pass, timing: FleetTiming): Limits {
  const { offline, maxCost } = context;
  const stopLimits = Object.fromEntries(
    targetsOf(context, pass).map(({ index, described }) => [
      index,
      described.definition.deadLetters.stopLimit,
    ]),
  );
  const limits = limitsOf({ settings: offline.settings, build: offline.build, stopLimits, maxCost }, timing);
  // A process beside the orchestrator costs nothing.
  return pass.workers === 'fleet' ? limits : { ...limits, workers: 1, minimum: 1, mostInstanceSeconds: null };
}
