import * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import { tagsOf } from '../tags.ts';
import type { StackSettings } from '../settings/schema.ts';

/** Whether the stack makes the parameter of this image. If not, `image` is the name of a parameter. */
export function ownsImageParameter(image: string): boolean {
  return image.startsWith('ami-');
}

/**
 * The parameter from which each launch takes its image. Another `image` in the settings changes it. If a pipeline that builds
 * images shall change it, name a parameter of your own.
 *
 * When a value of this data type is written, Parameter Store checks it at EC2:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
 */
export function imageParameter(
  name: string,
  { image, tags }: Pick<StackSettings, 'image' | 'tags'>,
  names: Names,
  options: pulumi.CustomResourceOptions & { readonly parent: pulumi.ComponentResource },
): aws.ssm.Parameter {
  return new aws.ssm.Parameter(
    name,
    {
      name: names.imageParameter,
      description: `Image of the workers of the fleet ${names.fleet}`,
      type: 'String',
      dataType: 'aws:ec2:image',
      // A preview shows no `value`. With this it shows which image comes, and which goes.
      insecureValue: image,
      tags: { ...tagsOf(names, tags) },
    },
    // AWS changes neither in place.
    child(options.parent, { ...options, replaceOnChanges: ['dataType', 'type'] }),
  );
}
