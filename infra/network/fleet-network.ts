import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';
import { type Door, doorsToServers, type Rule, workersRules } from './rules.ts';

export interface FleetNetworkArgs {
  readonly settings: StackSettings;
  readonly names: Names;
}

/**
 * AWS does not delete a security group that a rule of another group names. With this, the engine replaces a rule together
 * with the groups that it names, so the rule goes before the group goes.
 */
const WITH_ITS_GROUPS = { replaceOnChanges: ['securityGroupId', 'referencedSecurityGroupId'] };

/** Where instances are launched, and which connections they may have. */
export class FleetNetwork extends pulumi.ComponentResource {
  readonly subnets: pulumi.Output<string[]>;
  /** The workers' security group. A database that lets in security groups must let in this one. */
  readonly securityGroup: aws.ec2.SecurityGroup;
  readonly rules: readonly pulumi.Resource[];

  constructor(name: string, args: FleetNetworkArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:FleetNetwork', name, {}, options);
    const { settings, names } = args;
    const tags = { ...tagsOf(names, settings.tags) };
    const vpcId = pulumi.output(settings.network.vpc ?? this.#defaultVpc());
    this.subnets =
      settings.network.subnets === null
        ? this.#defaultSubnets(vpcId)
        : pulumi.output(settings.network.subnets);
    this.securityGroup = new aws.ec2.SecurityGroup(
      name,
      {
        name: names.workersSecurityGroup,
        description: `Workers of the fleet ${names.fleet}`,
        vpcId,
        tags,
      },
      child(this),
    );
    this.rules = [
      ...workersRules(settings).map((rule) => this.#open(name, rule, tags)),
      ...doorsToServers(settings).map((door) => this.#letIn(name, door, names.fleet, tags)),
    ];
    this.registerOutputs({ securityGroup: this.securityGroup.id });
  }

  #defaultVpc(): pulumi.Output<string> {
    return aws.ec2.getVpcOutput({ default: true }, { parent: this }).id;
  }

  /** One in each zone. */
  #defaultSubnets(vpcId: pulumi.Output<string>): pulumi.Output<string[]> {
    const filters = [
      { name: 'vpc-id', values: [vpcId] },
      { name: 'default-for-az', values: ['true'] },
    ];
    return aws.ec2.getSubnetsOutput({ filters }, { parent: this }).ids;
  }

  #open(
    name: string,
    { name: rule, direction, description, port, peer }: Rule,
    tags: Record<string, string>,
  ) {
    const args = {
      ...tcp(port, description, tags),
      securityGroupId: this.securityGroup.id,
      ...('cidr' in peer ? { cidrIpv4: peer.cidr } : { referencedSecurityGroupId: peer.securityGroup }),
    };
    return direction === 'in'
      ? new aws.vpc.SecurityGroupIngressRule(`${name}-${rule}`, args, child(this, WITH_ITS_GROUPS))
      : new aws.vpc.SecurityGroupEgressRule(`${name}-${rule}`, args, child(this, WITH_ITS_GROUPS));
  }

  #letIn(
    name: string,
    { name: door, securityGroup, port }: Door,
    fleet: string,
    tags: Record<string, string>,
  ) {
    return new aws.vpc.SecurityGroupIngressRule(
      `${name}-${door}`,
      {
        ...tcp(port, `Workers of the fleet ${fleet}`, tags),
        securityGroupId: securityGroup,
        referencedSecurityGroupId: this.securityGroup.id,
      },
      child(this, WITH_ITS_GROUPS),
    );
  }
}

/** The arguments that every rule has. */
function tcp(port: pulumi.Input<number>, description: string, tags: Record<string, string>) {
  return { ipProtocol: 'tcp', fromPort: port, toPort: port, description, tags };
}
