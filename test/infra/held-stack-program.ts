import * as pulumi from '@pulumi/pulumi';
import { engineAddress } from '../../infra/exclusion/engine-address.ts';
import { excludeRuns } from '../../infra/exclusion/exclude-runs.ts';
import { requireNoRun } from '../../infra/exclusion/require-no-run.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { type DeploymentOptions, REQUEST_VARIABLE } from './deployment.ts';

/** A program of one resource, which no run may have while it is deleted. */
export default async function program(): Promise<Record<string, pulumi.Input<unknown>>> {
  const { journal } = JSON.parse(process.env[REQUEST_VARIABLE] ?? '') as Pick<DeploymentOptions, 'journal'>;
  const exclusion = await excludeRuns({
    journal,
    stack: pulumi.getStack(),
    preview: pulumi.runtime.isDryRun(),
    engine: engineAddress(),
    log: pulumi.log,
  }).catch((error: unknown) => {
    throw new pulumi.RunError(messageOf(error));
  });
  const beforeDelete = [requireNoRun(exclusion, 'group')];
  return { group: new Group('group', {}, { hooks: { beforeDelete } }).urn };
}

class Group extends pulumi.ComponentResource {
  constructor(name: string, args: pulumi.Inputs, options: pulumi.ComponentResourceOptions) {
    super('test:index:Group', name, args, options);
  }
}
