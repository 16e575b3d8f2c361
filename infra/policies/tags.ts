import { FLEET_TAG } from '../tags.ts';
import { isOfFleet, tagOf, type Checked, type Rule, type Violation } from './rule.ts';
import { at, listAt, UNKNOWN } from './values.ts';

/** What is a fleet's says so: costs are told apart by it, and a run refuses a group of another fleet. */
export const fleetTags: Rule = {
  name: 'fleet-tags',
  description: `Everything of a fleet has the tag ${FLEET_TAG}.`,
  check: (resource) =>
    isOfFleet(resource) && canHaveTags(resource.type) ? [...ownTag(resource), ...launched(resource)] : [],
};

/**
 * Types of AWS's provider that know no tags: parts of a role, a function or a bucket, links, dashboards, and schedules (whose
 * groups have them). One that is not here is expected to have them.
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
      what: `It does not say which fleet's it is.`,
      remedy: `Give it the tag ${FLEET_TAG} with the fleet's name.`,
    },
  ];
}

/** What a group or a template brings into being has its tag from there. */
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
          what: `A launched ${resourceType} does not have the tag ${FLEET_TAG}.`,
          remedy: `Give it by a specification for "${resourceType}".`,
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
