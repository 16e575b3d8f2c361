import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';
import { orchestratorPolicy } from './orchestrator-policy.ts';

export interface OrchestratorAccessArgs {
  readonly settings: StackSettings;
  readonly names: Names;
}

/** The policy for who runs the orchestrator, and the roles that have it. */
export class OrchestratorAccess extends pulumi.ComponentResource {
  readonly policy: aws.iam.Policy;

  constructor(name: string, args: OrchestratorAccessArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:OrchestratorAccess', name, {}, options);
    const { settings, names } = args;
    this.policy = new aws.iam.Policy(
      name,
      {
        name: names.orchestratorPolicy,
        description: `Runs of the fleet ${names.fleet}`,
        policy: JSON.stringify(orchestratorPolicy(names)),
        tags: { ...tagsOf(names, settings.tags) },
      },
      child(this),
    );
    // Named after their roles. With numbers, removing one role would rename the later attachments, and detach the policy again.
    [...new Set(settings.access.orchestrator_roles)].forEach(
      (role, index) =>
        new aws.iam.RolePolicyAttachment(
          `${name}-${typeof role === 'string' ? role : index + 1}`,
          { role, policyArn: this.policy.arn },
          child(this),
        ),
    );
    this.registerOutputs({ policy: this.policy.arn });
  }
}
