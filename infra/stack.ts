import * as pulumi from '@pulumi/pulumi';
import { Faults } from '../definition/faults.ts';
import type { Prepared } from './prepare.ts';
import { ReindexFleet } from './reindex-fleet.ts';
import { type Configuration, readStackSettings } from './settings/stack-configuration.ts';
import type { StackSettings } from './settings/schema.ts';

/**
 * Registers one fleet from a stack's configuration. What it returns are the stack's outputs.
 *
 * @throws RunError that names everything that is wrong with the configuration, before anything is registered
 */
export async function deployStack(
  configuration: Configuration,
  prepare: (settings: StackSettings) => Promise<Prepared>,
): Promise<Record<string, pulumi.Input<unknown>>> {
  const settings = checkedSettings(configuration);
  const fleet = new ReindexFleet('fleet', { ...settings, ...(await prepare(settings)) });
  return {
    settings: fleet.settings,
    orchestrator_policy: fleet.orchestratorPolicy.arn,
    workers_security_group: fleet.workersSecurityGroup.id,
    sweeper: fleet.sweeper.name,
  };
}

/** Its faults are for a person: without a stack trace. */
function checkedSettings(configuration: Configuration): StackSettings {
  try {
    return readStackSettings(configuration);
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    throw new pulumi.RunError(
      `The stack's configuration is not right; nothing was changed.\n${error.message}`,
    );
  }
}
