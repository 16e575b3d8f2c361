import * as pulumi from '@pulumi/pulumi';
import { Faults } from '../definition/faults.ts';
import { readPlace } from './place.ts';
import { ReindexFleet } from './reindex-fleet.ts';
import {
  type Configuration,
  configurationOfProgram,
  readStackSettings,
} from './settings/stack-configuration.ts';
import type { StackSettings } from './settings/schema.ts';
import { bundleSweeper } from './sweeper/bundle.ts';

/** The stack: one fleet, from the stack's configuration. What it returns are the stack's outputs. */
export default async function stack(): Promise<Record<string, pulumi.Input<unknown>>> {
  const settings = checkedSettings(configurationOfProgram());
  const [place, sweeperCode] = await Promise.all([readPlace(), bundleSweeper()]);
  const fleet = new ReindexFleet('fleet', { ...settings, place, sweeperCode });
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
