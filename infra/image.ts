import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { messageOf } from '../orchestrator/errors.ts';
import { ownsImageParameter } from './parameters/image-parameter.ts';
import { processorOf } from './settings/processor.ts';
import type { StackSettings } from './settings/schema.ts';

/** What a launch template has to know of the workers' image. */
export interface FleetImage {
  /** Whose volume is to be encrypted, e.g. `/dev/xvda`. */
  readonly rootDevice: string;
}

/**
 * Looks the image up before anything is made of it. Parameter Store takes an image that there is not, and keeps the old one:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
 *
 * @throws RunError when there is no such image here, or it is for another processor than the instance types
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
      `The image ${id} is for ${architecture}, and ${others.join(', ')} of instances.types are not: take others, or another image.`,
    );
  return { rootDevice: rootDeviceName };
}

async function idInParameter(name: string, options: pulumi.InvokeOptions): Promise<string> {
  const found = await aws.ssm.getParameter({ name }, options).catch((error: unknown) => {
    throw new pulumi.RunError(
      `The image parameter ${name} cannot be read in this region: ${messageOf(error)}`,
    );
  });
  return found.value;
}

async function lookUp(id: string, options: pulumi.InvokeOptions): Promise<aws.ec2.GetAmiResult> {
  const query = { filters: [{ name: 'image-id', values: [id] }], includeDeprecated: true };
  return aws.ec2.getAmi(query, options).catch((error: unknown) => {
    throw new pulumi.RunError(
      `The image ${id} is not in this region, or not for this account: ${messageOf(error)}`,
    );
  });
}
