import type * as pulumi from '@pulumi/pulumi';
import type { Prepared } from './prepare.ts';
import { ReindexFleet } from './reindex-fleet.ts';
import { forAPerson } from './settings/for-a-person.ts';
import { type Configuration, readStackSettings } from './settings/stack-configuration.ts';
import type { StackSettings } from './settings/schema.ts';

/**
 * Registers one fleet from a stack's configuration. It returns the stack's outputs.
 *
 * @throws RunError that names everything that is wrong with the configuration, before anything is registered
 */
export async function deployStack(
  configuration: Configuration,
  prepare: (settings: StackSettings) => Promise<Prepared>,
): Promise<Record<string, pulumi.Input<unknown>>> {
  const settings = forAPerson("The stack's configuration is not right; nothing was changed.", () =>
    readStackSettings(configuration),
  );
  const fleet = new ReindexFleet('fleet', { ...settings, ...(await prepare(settings)) });
  return {
    settings: fleet.settings,
    image: settings.image,
    orchestrator_policy: fleet.orchestratorPolicy.arn,
    workers_security_group: fleet.workersSecurityGroup.id,
    sweeper: fleet.sweeper.name,
  };
}
