import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { messageOf } from '../orchestrator/errors.ts';
import { ownsImageParameter } from './parameters/image-parameter.ts';
import { processorOf } from './settings/processor.ts';
import type { StackSettings } from './settings/schema.ts';

/** What a launch template needs to know about the workers' image. */
export interface FleetImage {
  /** The device whose volume is to be encrypted, e.g. `/dev/xvda`. */
  readonly rootDevice: string;
}

/**
 * Looks the image up before anything is made from it. Parameter Store accepts the name of an image that does not exist, and
 * keeps the old one:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
 *
 * @throws RunError if the image is not in this region, or is for another processor than the instance types
 */
export async function readImage(
  { image, instances }: Pick<StackSettings, 'image' | 'instances'>,
  options: pulumi.InvokeOptions,
): Promise<FleetImage> {
  const id = ownsImageParameter(image) ? image : await idInParameter(image, options);
  const { rootDeviceName, architecture } = await lookUp(id, options);
  const others = instances.types.filter((type) => processorOf(type) !== architecture);
  if (others.length > 0)
    throw new pulumi.RunError(
      `The image ${id} is for ${architecture}. These instances.types are not: ${others.join(', ')}. Choose other types, or another image.`,
    );
  return { rootDevice: rootDeviceName };
}

async function idInParameter(name: string, options: pulumi.InvokeOptions): Promise<string> {
  const found = await aws.ssm.getParameter({ name }, options).catch((error: unknown) => {
    throw new pulumi.RunError(
      `The image parameter ${name} cannot be read in this region. Check \`image\` and the region. AWS says: ${messageOf(error)}`,
    );
  });
  return found.value;
}

async function lookUp(id: string, options: pulumi.InvokeOptions): Promise<aws.ec2.GetAmiResult> {
  const query = { filters: [{ name: 'image-id', values: [id] }], includeDeprecated: true };
  return aws.ec2.getAmi(query, options).catch((error: unknown) => {
    throw new pulumi.RunError(
      `This region has no image ${id}, or the image is not for this account. Check \`image\` and the region. AWS says: ${messageOf(error)}`,
    );
  });
}
