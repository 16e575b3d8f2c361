import type { PolicyResource, ResourceValidationPolicy, StackValidationPolicy } from '@pulumi/policy';
import { FLEET_TAG } from '../tags.ts';
import { at, isNone, listAt, plainOf, UNKNOWN } from './values.ts';

/** A resource as a rule sees it. */
export interface Checked {
  /** As Pulumi names it: `aws:ec2/launchTemplate:LaunchTemplate`. */
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  readonly urn: string;
  /** See `plainOf`. */
  readonly props: unknown;
}

/** What is wrong, for the person who mends it. */
export interface Violation {
  /** Path of the property. */
  readonly where: string;
  /** A sentence that says what is wrong. */
  readonly what: string;
  /** A sentence that says what to do. */
  readonly remedy: string;
}

interface About {
  /** `--policy-pack-config` names a rule by it, to set the rule to `advisory` or `disabled`. */
  readonly name: string;
  readonly description: string;
}

export interface Rule extends About {
  /** Pure. */
  readonly check: (resource: Checked) => readonly Violation[];
}

export interface StackRule extends About {
  /** Pure; looks at all resources of a stack together. */
  readonly check: (resources: readonly Linked[]) => readonly (Violation & { readonly of: Checked })[];
}

/** A resource with what its properties come from. */
export interface Linked extends Checked {
  /** URNs, by property. */
  readonly dependencies: Readonly<Record<string, readonly string[]>>;
}

export function resourcePolicy({ name, description, check }: Rule): ResourceValidationPolicy {
  return {
    name,
    description,
    enforcementLevel: 'mandatory',
    validateResource: (resource, report) => {
      for (const violation of check(checked(resource))) report(messageOf(resource.name, violation));
    },
  };
}

export function stackPolicy({ name, description, check }: StackRule): StackValidationPolicy {
  return {
    name,
    description,
    enforcementLevel: 'mandatory',
    validateStack: ({ resources }, report) => {
      for (const violation of check(resources.map(linked)))
        report(messageOf(violation.of.name, violation), violation.of.urn);
    },
  };
}

/** Whether a resource belongs to a fleet: it is part of a component of ours, or has the fleet's tag. */
export function isOfFleet({ urn, props }: Checked): boolean {
  const [, , types = ''] = urn.split('::');
  if (types.split('$').some((type) => type.startsWith('reindex-fleet:'))) return true;
  const fleet = tagOf(props, FLEET_TAG);
  return fleet !== undefined && fleet !== UNKNOWN;
}

/** The value of a tag, in a map of tags or in an Auto Scaling group's list. */
export function tagOf(props: unknown, key: string): unknown {
  const inList = listAt(props, 'tags').find((tag) => !isNone(at(tag, 'key'), key));
  return at(props, 'tags', key) ?? at(inList, 'value');
}

function checked({ type, name, urn, props }: Pick<Checked, keyof Checked>): Checked {
  return { type, name, urn, props: plainOf(props) };
}

function linked(resource: PolicyResource): Linked {
  const dependencies = Object.entries(resource.propertyDependencies).map(
    ([property, resources]) => [property, resources.map(({ urn }) => urn)] as const,
  );
  return { ...checked(resource), dependencies: Object.fromEntries(dependencies) };
}

function messageOf(name: string, { where, what, remedy }: Violation): string {
  return `${name}, ${where}: ${what} ${remedy}`;
}
