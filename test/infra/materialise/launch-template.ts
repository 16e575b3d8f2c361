import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import { kind, textIn } from './kind.ts';
import { members, tagList, tagsAtBirth } from './names.ts';

type Inputs = Unwrap<aws.ec2.LaunchTemplateArgs>;

export const launchTemplate = kind<Inputs>({
  type: 'aws:ec2/launchTemplate:LaunchTemplate',
  untold: {
    updateDefaultVersion: 'of later versions: the first is the default one',
  },
  async make(inputs, call) {
    const { name, description, tags, tagSpecifications, vpcSecurityGroupIds, blockDeviceMappings, ...data } =
      inputs;
    const answer = await call('ec2', 'CreateLaunchTemplate', {
      LaunchTemplateName: name,
      VersionDescription: description,
      LaunchTemplateData: {
        ...members(data),
        SecurityGroupIds: vpcSecurityGroupIds,
        BlockDeviceMappings: blockDeviceMappings?.map(({ ebs, ...device }) => ({
          ...members(device),
          ...(ebs && { Ebs: volume(ebs) }),
        })),
        TagSpecifications: tagSpecifications?.map(({ tags: of, ...others }) => ({
          ...members(others),
          Tags: tagList(of),
        })),
      },
      ...tagsAtBirth('launch-template', tags),
    });
    return {
      id: textIn(answer, 'LaunchTemplate', 'LaunchTemplateId'),
      outputs: { latestVersion: 1, defaultVersion: 1 },
    };
  },
  async remove(_inputs, call, id) {
    await call('ec2', 'DeleteLaunchTemplate', { LaunchTemplateId: id });
  },
});

type Ebs = NonNullable<NonNullable<Inputs['blockDeviceMappings']>[number]['ebs']>;

/** The provider has texts in place of AWS's booleans, so that false differs from absent. */
function volume({ encrypted, deleteOnTermination, ...others }: Ebs): Record<string, unknown> {
  return {
    ...members(others),
    Encrypted: truth(encrypted),
    DeleteOnTermination: truth(deleteOnTermination),
  };
}

/** What is neither is left to the service's model, which refuses it. */
function truth(text: string | undefined): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}
