import { vi } from 'vitest';
import type { z } from 'zod';
import { openAws } from '../../orchestrator/aws/clients.ts';
import { type Clock, systemClock } from '../../orchestrator/clock.ts';
import { GroupFleet, type GroupRun } from '../../orchestrator/fleet/auto-scaling/group-fleet.ts';
import { fleetPinOf, type GroupPin } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import type { autoScalingSection } from '../../orchestrator/fleet/auto-scaling/settings.ts';
import { connectFleet } from '../../orchestrator/fleet/connect-fleet.ts';
import type {
  CheckedFleet,
  FleetBackend,
  FleetCheckOptions,
} from '../../orchestrator/fleet/fleet-backend.ts';
import type { FleetPin } from '../../orchestrator/reconcile/fleet-pin.ts';
import { parseSettings } from '../../orchestrator/settings.ts';
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

function pinOf({ region, group, templateId, imageId, imageParameter }: AwsWorld): GroupPin {
  return {
    region,
    group,
    template: { id: templateId, version: '1' },
    image: imageId,
    parameter: { name: imageParameter, version: 1 },
  };
}

/** The same as a journal has it, but for `changes`. */
export function journalledPinOf(world: AwsWorld, changes: Partial<GroupPin> = {}): FleetPin {
  return fleetPinOf({ ...pinOf(world), ...changes });
}

/** Clients of this process take endpoint and credentials from its environment, as AWS's own tools do. */
function useEnvironment(scope: TestScope, environment: AwsWorld['environment']): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  scope.onTestFinished(async () => void vi.unstubAllEnvs());
}

/** Settings of the fleet. */
type Section = z.input<typeof autoScalingSection>;
type Changes = Partial<Section> & { readonly region?: string };

/** The result of a run's check on the world in its environment. The settings are right except for `changes`. */
export async function checkWorld(
  scope: TestScope,
  world: AwsWorld,
  changes: Changes = {},
  options: Partial<FleetCheckOptions> = {},
): Promise<CheckedFleet> {
  const backend = await backendOf(scope, world, changes);
  return backend.check({ pin: null, underLock: true, ...options });
}

/** The fleet of a command in the world's environment. The settings are right except for `changes`. */
export function backendOf(scope: TestScope, world: AwsWorld, changes: Changes = {}): Promise<FleetBackend> {
  useEnvironment(scope, world.environment);
  const { region = world.region, ...others } = changes;
  const section: Section = {
    group: world.group,
    image_parameter: world.imageParameter,
    token_parameter: world.tokenParameter,
    ...others,
  };
  const settings = {
    fleet: CHECKED_FLEET,
    definitions: 'books.yaml',
    source: { url: 'postgres://reader@db/shop' },
    target: { url: 'https://search:9200' },
    workers: { count: 4 },
    aws: { region },
    auto_scaling: section,
  };
  return connectFleet(parseSettings(JSON.stringify(settings), 'settings'));
}
