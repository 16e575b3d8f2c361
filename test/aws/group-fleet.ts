import { vi } from 'vitest';
import type { z } from 'zod';
import { awsSection } from '../../orchestrator/aws/aws-settings.ts';
import { openAws } from '../../orchestrator/aws/clients.ts';
import { type Clock, systemClock } from '../../orchestrator/clock.ts';
import { GroupFleet, type GroupRun } from '../../orchestrator/fleet/auto-scaling/group-fleet.ts';
import type { CheckedFleet, FleetCheckOptions, WorkersBackend } from '../../orchestrator/run/context.ts';
import { groupWorkers } from '../../orchestrator/run/group-workers.ts';
import type { GroupPin } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import type { TestScope } from '../support/run-setup.ts';
import { awsEnvironment } from './aws-clients.ts';
import type { AwsWorld } from './world.ts';

/** The fleet that `checkWorld` checks for. */
export const CHECKED_FLEET = 'books';

export interface GroupFleetOptions {
  /** Where its calls go; by default the world's API. */
  readonly awsUrl?: string;
  readonly run?: Partial<GroupRun>;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
}

/** The fleet of a run that is pinned to what the world was made with. */
export function groupFleet(
  scope: TestScope,
  world: AwsWorld,
  { awsUrl = world.awsUrl, run, clock = systemClock }: GroupFleetOptions = {},
): GroupFleet {
  useEnvironment(scope, awsEnvironment(awsUrl));
  return new GroupFleet({
    aws: openAws(world.region),
    group: world.group,
    workerPort: 8003,
    run: { id: 'run-1', pin: pinOf(world), startedAt: new Date(0), owns: () => true, ...run },
    clock,
  });
}

export function pinOf({ region, group, templateId, imageId, imageParameter }: AwsWorld): GroupPin {
  return {
    region,
    group,
    template: { id: templateId, version: '1' },
    image: imageId,
    parameter: { name: imageParameter, version: 1 },
  };
}

/** Clients of this process take endpoint and credentials from its environment, as AWS's own tools do. */
function useEnvironment(scope: TestScope, environment: AwsWorld['environment']): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  scope.onTestFinished(async () => void vi.unstubAllEnvs());
}

/** What a run's check says of the world in its environment, with settings that are right but for `changes`. */
export function checkWorld(
  scope: TestScope,
  world: AwsWorld,
  changes: Partial<z.input<typeof awsSection>> = {},
  options: Partial<FleetCheckOptions> = {},
): Promise<CheckedFleet> {
  return workersOf(scope, world, changes).check({ pin: null, underLock: true, ...options });
}

/** The workers of a command in the world's environment, by settings that are right but for `changes`. */
export function workersOf(
  scope: TestScope,
  world: AwsWorld,
  changes: Partial<z.input<typeof awsSection>> = {},
): WorkersBackend {
  useEnvironment(scope, world.environment);
  const settings = awsSection.parse({
    region: world.region,
    group: world.group,
    image_parameter: world.imageParameter,
    token_parameter: world.tokenParameter,
    ...changes,
  });
  return groupWorkers(settings, { workers: 4, fleet: CHECKED_FLEET });
}
