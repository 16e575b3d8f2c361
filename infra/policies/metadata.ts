import { isOfFleet, type Checked, type Rule, type Violation } from './rule.ts';
import { at, isNone } from './values.ts';

const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';

/** One hop to the instance, and one more to a container on it. */
const MOST_HOPS = 2;

/** An attacker who makes a program on an instance send a request cannot fetch the instance's credentials. */
export const metadataWithToken: Rule = {
  name: 'instance-metadata-v2',
  description: 'Instances give their metadata only with a token (IMDSv2), and over at most two hops.',
  check: (resource) => (hasMetadata(resource) ? faults(resource) : []),
};

function hasMetadata({ type, props }: Checked): boolean {
  switch (type) {
    case TEMPLATE:
    case 'aws:ec2/launchConfiguration:LaunchConfiguration':
      return at(props, 'metadataOptions', 'httpEndpoint') !== 'disabled';
    case 'aws:ec2/instance:Instance':
    case 'aws:ec2/spotInstanceRequest:SpotInstanceRequest':
      // Options that it lacks come from its template.
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
            what: 'A worker cannot read the name of its group in its metadata.',
            remedy: 'Set it to "enabled".',
          },
        ]
      : []),
  ];
}
