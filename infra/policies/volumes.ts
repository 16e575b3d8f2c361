import type { Checked, Rule, Violation } from './rule.ts';
import { at, isOff, listAt } from './values.ts';

/** A worker's volume may hold customers' data: swapped memory and files. */
export const encryptedVolumes: Rule = {
  name: 'encrypted-volumes',
  description: 'Volumes of instances are encrypted.',
  check: (resource) =>
    volumes(resource)
      .filter(({ volume }) => isOff(at(volume, 'encrypted')))
      .map(({ where }) => violation(`${where}encrypted`)),
};

interface Volume {
  /** Path of what describes it, with a dot behind it. */
  readonly where: string;
  readonly volume: unknown;
}

function volumes({ type, props }: Checked): Volume[] {
  switch (type) {
    case 'aws:ec2/launchTemplate:LaunchTemplate':
      return ofTemplate(props);
    case 'aws:ebs/volume:Volume':
      return [{ where: '', volume: props }];
    case 'aws:ec2/instance:Instance':
      // Volumes that it does not describe come from its template.
      return at(props, 'launchTemplate') === undefined ? [root(props), ...others(props)] : others(props);
    case 'aws:ec2/launchConfiguration:LaunchConfiguration':
    case 'aws:ec2/spotInstanceRequest:SpotInstanceRequest':
      return [root(props), ...others(props)];
    default:
      return [];
  }
}

/** A template without volumes has the image's, encrypted or not. */
function ofTemplate(props: unknown): Volume[] {
  const property = 'blockDeviceMappings';
  const described = listAt(props, property)
    .map((mapping, index) => ({ where: `${property}[${index}].ebs.`, volume: at(mapping, 'ebs') }))
    .filter(({ volume }) => volume !== undefined);
  return described.length > 0 ? described : [{ where: `${property}[0].ebs.`, volume: undefined }];
}

function root(props: unknown): Volume {
  return { where: 'rootBlockDevice.', volume: at(props, 'rootBlockDevice') };
}

function others(props: unknown): Volume[] {
  return listAt(props, 'ebsBlockDevices').map((volume, index) => ({
    where: `ebsBlockDevices[${index}].`,
    volume,
  }));
}

function violation(where: string): Violation {
  return { where, what: 'Nothing says that the volume is encrypted.', remedy: 'Set it to true.' };
}
