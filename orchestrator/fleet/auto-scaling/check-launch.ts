import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { LaunchTemplateVersion, ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Parameter } from '@aws-sdk/client-ssm';
import type { GroupPin } from './group-pin.ts';
import { collect, type Found } from './findings.ts';
import type { GroupReads } from './group-reads.ts';
import { isNumbered, type NamedTemplate, templateOf, templateWords } from './launch-template.ts';

/** What a new run is pinned to, as far as it can be told. */
type Launch = Pick<GroupPin, 'template' | 'image' | 'parameter'>;

/** Looks up what the group would launch: the template's version, the parameter that it takes its image from, the image. */
export async function checkLaunch(
  reads: GroupReads,
  group: AutoScalingGroup,
  imageParameter: string | null,
): Promise<Found<Launch>> {
  const [template, parameter] = await Promise.all([
    checkTemplate(reads, group, imageParameter),
    imageParameter === null
      ? null
      : collect(async () => parameterIn(imageParameter, await reads.parameter(imageParameter))),
  ]);
  const imageId = parameter === null ? template.value?.image : parameter.value?.image;
  const image = imageId === undefined ? null : await collect(() => checkImage(reads, imageId));
  const parts = [template, parameter, image].filter((part) => part !== null);
  const isWhole = template.value !== null && imageId !== undefined;
  return {
    value: isWhole
      ? { template: template.value.template, image: imageId, parameter: pinOf(imageParameter, parameter) }
      : null,
    faults: parts.flatMap(({ faults }) => faults),
    warnings: parts.flatMap(({ warnings }) => warnings),
  };
}

function pinOf(name: string | null, parameter: Found<ImageOfParameter> | null): GroupPin['parameter'] {
  const version = parameter?.value?.version;
  return name === null || version === undefined ? null : { name, version };
}

interface TemplateAndImage {
  readonly template: NamedTemplate;
  /** As it stands in the template: an image, or where to take it from. */
  readonly image: string;
}

async function checkTemplate(
  reads: GroupReads,
  group: AutoScalingGroup,
  imageParameter: string | null,
): Promise<Found<TemplateAndImage>> {
  const named = templateOf(group);
  if (named === null)
    return fault(
      `the group ${reads.name} has no launch template${group.LaunchConfigurationName === undefined ? '' : ' but a launch configuration, which cannot be pinned'}: give it one`,
    );
  return collect(async () => templateIn(named, await reads.templateVersion(named), imageParameter));
}

function templateIn(
  named: NamedTemplate,
  version: LaunchTemplateVersion | null,
  imageParameter: string | null,
): Found<TemplateAndImage> {
  const which = templateWords(named);
  if (version?.VersionNumber === undefined) return fault(`${which} does not exist: mend the group`);
  const data = version.LaunchTemplateData ?? {};
  const image = data.ImageId ?? 'no image';
  const template = { id: named.id, version: String(version.VersionNumber) };
  const wanted = imageParameter === null ? /^ami-[0-9a-f]+$/ : `resolve:ssm:${imageParameter}`;
  const fits = typeof wanted === 'string' ? image === wanted : wanted.test(image);
  const advice =
    imageParameter === null
      ? 'where aws.image_parameter is not set it must name an image'
      : `aws.image_parameter wants resolve:ssm:${imageParameter}`;
  return {
    value: { template, image },
    faults: [...(fits ? [] : [`${which} launches ${image}, and ${advice}`]), ...shutdownFaults(which, data)],
    warnings: [
      ...(isNumbered(named)
        ? []
        : [
            `the group takes ${which}, which is ${version.VersionNumber} now: if that moves while the run lasts, it launches no more`,
          ]),
      ...profileWarnings(which, data),
    ],
  };
}

/**
 * EC2 stops an instance that shuts itself down unless told otherwise, and one that is stopped is still there:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingInstanceInitiatedShutdownBehavior.html
 */
function shutdownFaults(
  which: string,
  { InstanceInitiatedShutdownBehavior: behavior }: ResponseLaunchTemplateData,
): string[] {
  return behavior === 'terminate'
    ? []
    : [
        `${which} stops an instance that shuts itself down, as a worker does in the last resort, and does not end it: set InstanceInitiatedShutdownBehavior to terminate`,
      ];
}

function profileWarnings(which: string, { IamInstanceProfile }: ResponseLaunchTemplateData): string[] {
  return IamInstanceProfile === undefined
    ? [
        `${which} has no instance profile: unless the image has other credentials, a worker cannot read its parameters and never gets ready`,
      ]
    : [];
}

interface ImageOfParameter {
  readonly version: number;
  readonly image: string;
}

/** Parameter Store holds values of this data type against EC2 when they are written: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html */
const IMAGE_TYPE = 'aws:ec2:image';

function parameterIn(name: string, found: Parameter | null): Found<ImageOfParameter> {
  if (found === null) return fault(`the image parameter ${name} does not exist in this region`);
  if (found.DataType !== IMAGE_TYPE)
    return fault(
      `the image parameter ${name} has the data type ${found.DataType}: make it one of ${IMAGE_TYPE}`,
    );
  const { Value: image = '', Version: version = 0 } = found;
  if (!/^ami-[0-9a-f]+$/.test(image))
    return fault(`the image parameter ${name} names no image but "${image}"`);
  return { value: { version, image }, faults: [], warnings: [] };
}

async function checkImage(reads: GroupReads, id: string): Promise<Found<null>> {
  if (!id.startsWith('ami-')) return { value: null, faults: [], warnings: [] };
  const image = await reads.image(id);
  if (image === null) return fault(`the image ${id} does not exist in this region, or not for this account`);
  return image.State === 'available'
    ? { value: null, faults: [], warnings: [] }
    : fault(`the image ${id} is ${image.State}, not available`);
}

function fault<T>(sentence: string): Found<T> {
  return { value: null, faults: [sentence], warnings: [] };
}
