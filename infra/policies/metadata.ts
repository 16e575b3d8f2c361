import { isOfFleet, type Checked, type Rule, type Violation } from './rule.ts';
import { at, isNone } from './values.ts';

const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';

/** An instance, and a container on it. */
const MOST_HOPS = 2;

/** A request that a program on an instance was tricked into cannot fetch the instance's credentials. */
export const metadataWithToken: Rule = {
  name: 'instance-metadata-v2',
  description:
    'Instances answer for their metadata with a token alone (IMDSv2), and no further than two hops.',
  check: (resource) => (hasMetadata(resource) ? faults(resource) : []),
};

function hasMetadata({ type, props }: Checked): boolean {
  switch (type) {
    case TEMPLATE:
    case 'aws:ec2/launchConfiguration:LaunchConfiguration':
      return at(props, 'metadataOptions', 'httpEndpoint') !== 'disabled';
    case 'aws:ec2/instance:Instance':
    case 'aws:ec2/spotInstanceRequest:SpotInstanceRequest':
      // What it does not say itself is its template's.
      if (at(props, 'launchTemplate') !== undefined && at(props, 'metadataOptions') === undefined)
        return false;
      return at(props, 'metadataOptions', 'httpEndpoint') !== 'disabled';
    default:
      return false;
  }
}

function faults(resource: Checked): Violation[] {
  const options = at(resource.props, 'metadataOptions');
  const hops = at(options, 'httpPutResponseHopLimit');
  return [
    ...(isNone(at(options, 'httpTokens'), 'required')
      ? [
          {
            where: 'metadataOptions.httpTokens',
            what: 'The metadata service answers without a token (IMDSv1).',
            remedy: 'Set it to "required".',
          },
        ]
      : []),
    ...(typeof hops === 'number' && hops > MOST_HOPS
      ? [
          {
            where: 'metadataOptions.httpPutResponseHopLimit',
            what: `Answers of the metadata service travel ${hops} hops.`,
            remedy: `Set it to 1, or to ${MOST_HOPS} where workers run in containers.`,
          },
        ]
      : []),
    ...(resource.type === TEMPLATE &&
    isOfFleet(resource) &&
    isNone(at(options, 'instanceMetadataTags'), 'enabled')
      ? [
          {
            where: 'metadataOptions.instanceMetadataTags',
            what: 'A worker cannot read in its metadata which group it is of.',
            remedy: 'Set it to "enabled".',
          },
        ]
      : []),
  ];
}
