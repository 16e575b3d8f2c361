import type { types } from '@pulumi/aws';
import type * as aws from '@pulumi/aws';
import type { Input } from '@pulumi/pulumi';
import type { FleetImage } from '../image.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { type Tags, tagsOf } from '../tags.ts';
import { userData } from './user-data.ts';

export interface LaunchParts {
  readonly instanceProfile: Input<string>;
  readonly securityGroup: Input<string>;
  readonly image: FleetImage;
}

/** What all instances have in common. The group chooses their types and how they are paid. */
export function launchTemplate(
  { instances, definitions, tags }: Pick<StackSettings, 'instances' | 'definitions' | 'tags'>,
  names: Names,
  { instanceProfile, securityGroup, image }: LaunchParts,
): aws.ec2.LaunchTemplateArgs {
  const own = tagsOf(names, tags);
  return {
    name: names.group,
    description: `Workers of the fleet ${names.fleet}`,
    updateDefaultVersion: true,
    // Resolved at each launch: https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html
    imageId: `resolve:ssm:${names.imageParameter}`,
    ...(instances.types[0] !== undefined && { instanceType: instances.types[0] }),
    iamInstanceProfile: { name: instanceProfile },
    vpcSecurityGroupIds: [securityGroup],
    // A worker that cannot terminate its instance shuts its machine down.
    instanceInitiatedShutdownBehavior: 'terminate',
    metadataOptions: {
      httpEndpoint: 'enabled',
      httpTokens: 'required',
      // Answers reach only the instance itself, or a container on it.
      httpPutResponseHopLimit: instances.containers ? 2 : 1,
      instanceMetadataTags: 'enabled',
    },
    blockDeviceMappings: [{ deviceName: image.rootDevice, ebs: rootVolume(instances.volume_gib) }],
    tagSpecifications: tagged(own),
    userData: Buffer.from(
      userData({
        parameters: names.workerParameters,
        definitions: instances.definitions ?? `${instances.checkout}/${definitions}`,
      }),
    ).toString('base64'),
    tags: own,
  };
}

function rootVolume(sizeGib: number | null): types.input.ec2.LaunchTemplateBlockDeviceMappingEbs {
  return {
    encrypted: 'true',
    volumeType: 'gp3',
    deleteOnTermination: 'true',
    ...(sizeGib !== null && { volumeSize: sizeGib }),
  };
}

/** Instances and what is made with them have their tags from the first moment. */
function tagged(tags: Tags): types.input.ec2.LaunchTemplateTagSpecification[] {
  return ['instance', 'volume', 'network-interface'].map((resourceType) => ({ resourceType, tags }));
}
