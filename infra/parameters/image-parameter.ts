import * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import { tagsOf } from '../tags.ts';
import type { StackSettings } from '../settings/schema.ts';

/** Whether the stack owns the parameter of this image; otherwise it is given by its name. */
export function ownsImageParameter(image: string): boolean {
  return image.startsWith('ami-');
}

/**
 * The parameter from which each launch takes its image. Whoever sets another `image` moves it; where something else is to
 * move it, e.g. a pipeline that builds images, give a parameter of its own.
 *
 * Parameter Store holds a value of this data type against EC2 when it is written:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
 */
export function imageParameter(
  name: string,
  { image, tags }: Pick<StackSettings, 'image' | 'tags'>,
  names: Names,
  parent: pulumi.ComponentResource,
): aws.ssm.Parameter {
  return new aws.ssm.Parameter(
    name,
    {
      name: names.imageParameter,
      description: `Image of the workers of the fleet ${names.fleet}`,
      type: 'String',
      dataType: 'aws:ec2:image',
      value: image,
      tags: { ...tagsOf(names, tags) },
    },
    // AWS changes neither in place.
    child(parent, { replaceOnChanges: ['dataType', 'type'] }),
  );
}
