import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import type { Tags } from '../tags.ts';
import type { PolicyDocument } from './policy-document.ts';

export interface FleetRoleArgs {
  readonly name: string;
  readonly description: string;
  /** Who may assume the role. */
  readonly trust: PolicyDocument;
  readonly policy: PolicyDocument;
  /** An ARN. */
  readonly permissionsBoundary: string | null;
  readonly tags: Tags;
}

/** A role and its only policy. */
export class FleetRole extends pulumi.ComponentResource {
  readonly role: aws.iam.Role;
  /** Resources that use the role wait for its policy. */
  readonly attached: aws.iam.RolePolicy;

  constructor(name: string, args: FleetRoleArgs, options: pulumi.ComponentResourceOptions) {
    super('reindex-fleet:index:FleetRole', name, {}, options);
    this.role = new aws.iam.Role(
      name,
      {
        name: args.name,
        description: args.description,
        assumeRolePolicy: JSON.stringify(args.trust),
        ...(args.permissionsBoundary !== null && { permissionsBoundary: args.permissionsBoundary }),
        tags: { ...args.tags },
      },
      child(this),
    );
    this.attached = new aws.iam.RolePolicy(
      name,
      { name: args.name, role: this.role.name, policy: JSON.stringify(args.policy) },
      child(this),
    );
    this.registerOutputs({ role: this.role.arn });
  }
}
