import type * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { OrchestratorAccess } from './access/orchestrator-access.ts';
import { FleetJournal } from './journal/fleet-journal.ts';
import { FleetNetwork } from './network/fleet-network.ts';
import { journalOf, journalText } from './exclusion/journal-place.ts';
import { requireNoRun } from './exclusion/require-no-run.ts';
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
 * A fleet that rests at zero: group, launch template, network, roles, parameters, journal, sweeper, alarms. Everything has
 * the fleet's name, so any number of fleets stand side by side, in one program or in many. To take one out of a program destroy
 * it first (`pulumi destroy --run-program --target`): the hooks that are asked before its deletion are the program's.
 *
 * @throws RunError that names everything that is wrong with the settings, before anything of it is registered
 */
export class ReindexFleet extends pulumi.ComponentResource {
  /** The orchestrator's settings, without secrets; as a stack output `settings` they are what `--stack` reads. */
  readonly settings: pulumi.Output<unknown>;
  readonly group: aws.autoscaling.Group;
  readonly bucket: aws.s3.Bucket;
  /** A database or cluster that lets only security groups in has to let this one in. */
  readonly workersSecurityGroup: aws.ec2.SecurityGroup;
  /** Of whoever runs the orchestrator. */
  readonly orchestratorPolicy: aws.iam.Policy;
  readonly sweeper: aws.lambda.Function;

  constructor(name: string, args: ReindexFleetArgs, options: pulumi.ComponentResourceOptions = {}) {
    const { place, launched, sweeperCode, exclusion, ...given } = args;
    const settings = checkSettings(given, name);
    const names = namesOfFleet(settings, place);
    const noRun = requireNoRun(exclusion, name);
    // Asked before anything of a fleet that is renamed, or whose journal moves, is touched: parts come after the whole.
    const beforeUpdate = [...(options.hooks?.beforeUpdate ?? []), noRun];
    super(
      'reindex-fleet:index:ReindexFleet',
      name,
      { journal: journalText(journalOf(names)) },
      { ...options, hooks: { ...options.hooks, beforeUpdate } },
    );
    const shared = { settings, names };
    const part = { parent: this };
    const beforeDelete = [noRun];

    const journal = new FleetJournal(`${name}-journal`, { ...shared, beforeDelete }, part);
    const network = new FleetNetwork(`${name}-network`, shared, part);
    const parameters = new WorkerParameters(`${name}-worker`, shared, part);
    const ownParameter = ownsImageParameter(settings.image)
      ? [imageParameter(`${name}-image`, settings, names, this)]
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
        beforeDelete,
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
