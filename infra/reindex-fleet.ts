import type * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { OrchestratorAccess } from './access/orchestrator-access.ts';
import { FleetJournal } from './journal/fleet-journal.ts';
import { FleetNetwork } from './network/fleet-network.ts';
import { journalOf, journalText } from './exclusion/journal-place.ts';
import { beforeEachDeletion, requireNoRun } from './exclusion/require-no-run.ts';
import { imageParameter, ownsImageParameter } from './parameters/image-parameter.ts';
import { WorkerParameters } from './parameters/worker-parameters.ts';
import type { Prepared } from './prepare.ts';
import { orchestratorSettings } from './settings/orchestrator-settings.ts';
import { checkSettings } from './settings/check-settings.ts';
import { namesOfFleet } from './settings/fleet-names.ts';
import type { StackInput } from './settings/schema.ts';
import { FleetSweeper } from './sweeper/fleet-sweeper.ts';
import { FleetWatch } from './watch/fleet-watch.ts';
import { FleetWorkers } from './workers/fleet-workers.ts';

/** The settings of a fleet, each with its description in settings/schema.ts, and `...(await prepareFleet(settings))`. */
export type ReindexFleetArgs = StackInput & Prepared;

/**
 * A fleet that has no instance between runs: group, launch template, network, roles, parameters, journal, sweeper, alarms.
 * Everything has the fleet's name. So any number of fleets can be in one program or in many. To remove a fleet from a program,
 * destroy it first (`pulumi destroy --run-program --target … --target-dependents`): Pulumi needs the program to call the
 * hooks before a deletion.
 *
 * @throws RunError that names everything that is wrong with the settings, before anything is registered
 */
export class ReindexFleet extends pulumi.ComponentResource {
  /** The orchestrator's settings, without secrets. `--stack` reads them from the stack output `settings`. */
  readonly settings: pulumi.Output<unknown>;
  readonly group: aws.autoscaling.Group;
  readonly bucket: aws.s3.Bucket;
  /** The workers' security group. The database and the cluster must let it in. */
  readonly workersSecurityGroup: aws.ec2.SecurityGroup;
  /** ARN of the policy for who runs the orchestrator. */
  readonly orchestratorPolicy: aws.iam.Policy;
  readonly sweeper: aws.lambda.Function;

  constructor(name: string, args: ReindexFleetArgs, options: pulumi.ComponentResourceOptions = {}) {
    const { place, launched, sweeperCode, exclusion, ...given } = args;
    const settings = checkSettings(given, name);
    const names = namesOfFleet(settings, place);
    const noRun = requireNoRun(exclusion, name);
    // The engine updates the component before its parts. So this hook runs before a renamed fleet or a moved journal changes.
    const beforeUpdate = [...(options.hooks?.beforeUpdate ?? []), noRun];
    super(
      'reindex-fleet:index:ReindexFleet',
      name,
      { journal: journalText(journalOf(names)) },
      {
        ...options,
        hooks: { ...options.hooks, beforeUpdate },
        transformations: [beforeEachDeletion(noRun), ...(options.transformations ?? [])],
      },
    );
    const shared = { settings, names };

    const journal = new FleetJournal(`${name}-journal`, shared, { parent: this });
    // The engine deletes in the reverse order, so the journal goes when everything else is gone.
    const part = { parent: this, dependsOn: [journal] };
    const network = new FleetNetwork(`${name}-network`, shared, part);
    const parameters = new WorkerParameters(`${name}-worker`, shared, part);
    const ownParameter = ownsImageParameter(settings.image)
      ? [imageParameter(`${name}-image`, settings, names, part)]
      : [];
    const workers = new FleetWorkers(
      `${name}-workers`,
      {
        ...shared,
        subnets: network.subnets,
        securityGroup: network.securityGroup.id,
        image: launched,
        imageParameter: ownParameter,
        before: [...network.rules, ...parameters.parameters],
      },
      part,
    );
    const access = new OrchestratorAccess(`${name}-orchestrator`, shared, part);
    const sweeper = new FleetSweeper(
      `${name}-sweeper`,
      { ...shared, code: sweeperCode, after: [workers.group, journal.bucket, ...journal.parts] },
      part,
    );
    new FleetWatch(`${name}-watch`, { ...shared, after: [workers.group, sweeper.schedule] }, part);

    this.settings = pulumi.output(orchestratorSettings(settings, names));
    this.group = workers.group;
    this.bucket = journal.bucket;
    this.workersSecurityGroup = network.securityGroup;
    this.orchestratorPolicy = access.policy;
    this.sweeper = sweeper.function;
    this.registerOutputs({ settings: this.settings });
  }
}
