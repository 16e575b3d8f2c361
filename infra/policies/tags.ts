import { FLEET_TAG } from '../tags.ts';
import { isOfFleet, tagOf, type Checked, type Rule, type Violation } from './rule.ts';
import { at, listAt, UNKNOWN } from './values.ts';

/** Resources of a fleet have its tag. It separates the costs of fleets, and a run refuses a group of another fleet by it. */
export const fleetTags: Rule = {
  name: 'fleet-tags',
  description: `Every resource of a fleet has the tag ${FLEET_TAG}.`,
  check: (resource) =>
    isOfFleet(resource) && canHaveTags(resource.type) ? [...ownTag(resource), ...launched(resource)] : [],
};

/**
 * Types of AWS's provider without tags: parts of a role, a function or a bucket, links, dashboards, and schedules (their groups
 * have tags). The rule expects tags on every other type.
 */
export const WITHOUT_TAGS: ReadonlySet<string> = new Set([
  'aws:cloudwatch/dashboard:Dashboard',
  'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig',
  'aws:iam/rolePolicy:RolePolicy',
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment',
  'aws:lambda/permission:Permission',
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls',
  'aws:s3/bucketPolicy:BucketPolicy',
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
  'aws:s3/bucketVersioning:BucketVersioning',
  'aws:scheduler/schedule:Schedule',
]);

function canHaveTags(type: string): boolean {
  return type.startsWith('aws:') && !WITHOUT_TAGS.has(type);
}

function ownTag({ props }: Checked): Violation[] {
  if (isTag(tagOf(props, FLEET_TAG))) return [];
  return [
    {
      where: 'tags',
      what: `It does not say which fleet it belongs to.`,
      remedy: `Give it the tag ${FLEET_TAG} with the fleet's name.`,
    },
  ];
}

/** Instances and volumes get their tags from a group or a template. */
function launched({ type, props }: Checked): Violation[] {
  switch (type) {
    case 'aws:autoscaling/group:Group':
      return listAt(props, 'tags')
        .filter((tag) => at(tag, 'key') === FLEET_TAG && at(tag, 'propagateAtLaunch') === false)
        .map(() => ({
          where: 'tags',
          what: `Instances of the group do not get the tag ${FLEET_TAG}.`,
          remedy: 'Set its propagateAtLaunch to true.',
        }));
    case 'aws:ec2/launchTemplate:LaunchTemplate':
      return ['instance', 'volume', 'network-interface']
        .filter((resourceType) => !isLaunchedWithTag(props, resourceType))
        .map((resourceType) => ({
          where: 'tagSpecifications',
          what: `A launched ${resourceType} does not get the tag ${FLEET_TAG}.`,
          remedy: `Add the tag to the tag specification for "${resourceType}".`,
        }));
    default:
      return [];
  }
}

function isLaunchedWithTag(template: unknown, resourceType: string): boolean {
  return listAt(template, 'tagSpecifications').some(
    (specification) =>
      [resourceType, UNKNOWN].includes(at(specification, 'resourceType') as string) &&
      isTag(at(specification, 'tags', FLEET_TAG)),
  );
}

function isTag(value: unknown): boolean {
  return value !== undefined && value !== '';
}
