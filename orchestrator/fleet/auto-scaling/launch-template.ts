import type { AutoScalingGroup, LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling';

/** A launch template as a group names it: `version` is a number, `$Default` or `$Latest`. */
export interface NamedTemplate {
  readonly id: string;
  readonly version: string;
}

/** What a group launches from; null: not from a launch template. */
export function templateOf({ LaunchTemplate, MixedInstancesPolicy }: AutoScalingGroup): NamedTemplate | null {
  return named(LaunchTemplate ?? MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification);
}

/** Without a version it is the default one: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html */
export function named(specification: LaunchTemplateSpecification | undefined): NamedTemplate | null {
  const id = specification?.LaunchTemplateId;
  return id === undefined ? null : { id, version: specification?.Version ?? '$Default' };
}

/** Says by itself which version it is; a moving name has to be looked up. */
export function isNumbered({ version }: NamedTemplate): boolean {
  return /^\d+$/.test(version);
}

export function templateWords({ id, version }: NamedTemplate): string {
  return `version ${version} of the launch template ${id}`;
}
