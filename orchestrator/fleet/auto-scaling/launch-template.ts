import type { AutoScalingGroup, LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling';

/** A launch template as a group names it: `version` is a number, `$Default` or `$Latest`. */
export interface NamedTemplate {
  readonly id: string;
  readonly version: string;
}

/** The launch template that a group uses. Null when it uses none. */
export function templateOf({ LaunchTemplate, MixedInstancesPolicy }: AutoScalingGroup): NamedTemplate | null {
  return named(LaunchTemplate ?? MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification);
}

/**
 * A template without a version means its default version:
 * https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html
 */
export function named(specification: LaunchTemplateSpecification | undefined): NamedTemplate | null {
  const id = specification?.LaunchTemplateId;
  return id === undefined ? null : { id, version: specification?.Version ?? '$Default' };
}

/** Whether a template is given by its version's number. `$Default` and `$Latest` have to be looked up. */
export function isNumbered({ version }: NamedTemplate): boolean {
  return /^\d+$/.test(version);
}

export function templateWords({ id, version }: NamedTemplate): string {
  return `version ${version} of the launch template ${id}`;
}
