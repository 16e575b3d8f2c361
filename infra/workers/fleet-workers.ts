import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { trust } from '../access/policy-document.ts';
import { FleetRole } from '../access/fleet-role.ts';
import { workersPolicy } from '../access/workers-policy.ts';
import { child } from '../child.ts';
import type { FleetImage } from '../image.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';
import { autoScalingGroup } from './group.ts';
import { launchTemplate } from './launch-template.ts';

export interface FleetWorkersArgs {
  readonly settings: StackSettings;
  readonly names: Names;
  readonly subnets: pulumi.Input<pulumi.Input<string>[]>;
  /** Of the workers. */
  readonly securityGroup: pulumi.Input<string>;
  readonly image: FleetImage;
  /** The image's parameter, if the stack makes it. AWS looks it up when the template is made. */
  readonly imageParameter: readonly pulumi.Resource[];
  /** Resources that an instance needs at its launch: parameters, rules of the network. */
  readonly before: readonly pulumi.Resource[];
}

/** The launch template, the group that launches from it, and the role of its instances. */
export class FleetWorkers extends pulumi.ComponentResource {
  readonly group: aws.autoscaling.Group;
  readonly template: aws.ec2.LaunchTemplate;
  readonly role: FleetRole;

  constructor(name: string, args: FleetWorkersArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:FleetWorkers', name, {}, options);
    const { settings, names, subnets, securityGroup, image, imageParameter, before } = args;
    const tags = tagsOf(names, settings.tags);

    this.role = new FleetRole(
      `${name}-role`,
      {
        name: names.workersRole,
        description: `Workers of the fleet ${names.fleet}`,
        trust: trust('ec2'),
        policy: workersPolicy(names),
        permissionsBoundary: settings.access.permissions_boundary,
        tags,
      },
      { parent: this },
    );
    const profile = new aws.iam.InstanceProfile(
      name,
      { name: names.workersRole, role: this.role.role.name, tags },
      child(this),
    );
    this.template = new aws.ec2.LaunchTemplate(
      name,
      launchTemplate(settings, names, { instanceProfile: profile.name, securityGroup, image }),
      child(this, { dependsOn: [...imageParameter] }),
    );
    this.group = new aws.autoscaling.Group(
      name,
      autoScalingGroup(settings, names, {
        templateId: this.template.id,
        templateVersion: this.template.latestVersion.apply(String),
        subnets,
      }),
      child(this, {
        // The orchestrator sets it. A deployment neither launches nor ends an instance.
        ignoreChanges: ['desiredCapacity'],
        dependsOn: [this.role.attached, ...before],
      }),
    );
    this.registerOutputs({ group: this.group.name, template: this.template.id });
  }
}
