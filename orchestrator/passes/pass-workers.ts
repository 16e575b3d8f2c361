import type { Limits } from '../reconcile/tick.ts';
import type { PassWorkers, RunContext } from '../run/context.ts';
import { limitsOf } from '../run/limits.ts';
import { openLocalWorkers } from '../run/local-workers.ts';
import type { Pass } from './pass.ts';
import { targetsOf } from './pass-targets.ts';

/** Who works a pass: the run's fleet, or one process beside the orchestrator, which ends with it. */
export function openPassWorkers(context: RunContext, pass: Pass): Promise<PassWorkers> {
  return pass.workers === 'fleet'
    ? context.workers.open(context)
    : Promise.resolve(openLocalWorkers(context));
}

export function passLimits(context: RunContext, pass: Pass, workers: PassWorkers): Limits {
  const { offline, maxCost } = context;
  const stopLimits = Object.fromEntries(
    targetsOf(context, pass).map(({ index, described }) => [
      index,
      described.definition.deadLetters.stopLimit,
    ]),
  );
  const limits = limitsOf({ settings: offline.settings, build: offline.build, stopLimits, maxCost }, workers);
  // A process of this machine costs nothing.
  return pass.workers === 'fleet' ? limits : { ...limits, workers: 1, minimum: 1, mostInstanceSeconds: null };
}
