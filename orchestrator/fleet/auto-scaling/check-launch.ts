import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { LaunchTemplateVersion, ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Parameter } from '@aws-sdk/client-ssm';
import { collect, type Found } from './findings.ts';
import type { GroupReads } from './group-reads.ts';
import { isNumbered, type NamedTemplate, templateOf, templateWords } from './launch-template.ts';
import type { GroupPin } from './group-pin.ts';

/** What a new run is pinned to, as far as the check can tell. */
type Launch = Pick<GroupPin, 'template' | 'image' | 'parameter'>;

/** Looks up what the group would launch: the template's version, the parameter that names the image, and the image. */
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
  /** What the template says: an image, or the parameter that names it. */
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
      `the group ${reads.name} has no launch template${group.LaunchConfigurationName === undefined ? '' : ' but a launch configuration, and a run cannot pin that'}: give it a launch template`,
    );
  return collect(async () => templateIn(named, await reads.templateVersion(named), imageParameter));
}

function templateIn(
  named: NamedTemplate,
  version: LaunchTemplateVersion | null,
  imageParameter: string | null,
): Found<TemplateAndImage> {
  const which = templateWords(named);
  if (version?.VersionNumber === undefined)
    return fault(`${which} does not exist: give the group a launch template that exists`);
  const data = version.LaunchTemplateData ?? {};
  const image = data.ImageId ?? 'no image';
  const template = { id: named.id, version: String(version.VersionNumber) };
  const wanted = imageParameter === null ? /^ami-[0-9a-f]+$/ : `resolve:ssm:${imageParameter}`;
  const fits = typeof wanted === 'string' ? image === wanted : wanted.test(image);
  const advice =
    imageParameter === null
      ? 'auto_scaling.image_parameter is not set: name an image in the template, or set the parameter'
      : `auto_scaling.image_parameter wants resolve:ssm:${imageParameter} there`;
  return {
    value: { template, image },
    faults: [...(fits ? [] : [`${which} launches ${image}, but ${advice}`]), ...shutdownFaults(which, data)],
    warnings: [
      ...(isNumbered(named)
        ? []
        : [
            `the group takes ${which}, which is version ${version.VersionNumber} now. If that changes during the run, the run launches no more instances`,
          ]),
      ...profileWarnings(which, data),
    ],
  };
}

/**
 * By default EC2 stops an instance that shuts itself down. A stopped instance is still there:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingInstanceInitiatedShutdownBehavior.html
 */
function shutdownFaults(
  which: string,
  { InstanceInitiatedShutdownBehavior: behavior }: ResponseLaunchTemplateData,
): string[] {
  return behavior === 'terminate'
    ? []
    : [
        `${which} only stops an instance that shuts itself down. A worker shuts its instance down when it has no other way to end it: set InstanceInitiatedShutdownBehavior to terminate`,
      ];
}

function profileWarnings(which: string, { IamInstanceProfile }: ResponseLaunchTemplateData): string[] {
  return IamInstanceProfile === undefined
    ? [
        `${which} has no instance profile. Without other credentials in the image, a worker cannot read its parameters and never becomes ready: set IamInstanceProfile`,
      ]
    : [];
}

interface ImageOfParameter {
  readonly version: number;
  readonly image: string;
}

/**
 * Parameter Store checks values of this data type against EC2 when they are written:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
 */
const IMAGE_TYPE = 'aws:ec2:image';

function parameterIn(name: string, found: Parameter | null): Found<ImageOfParameter> {
  if (found === null) return fault(`the image parameter ${name} does not exist in this region`);
  if (found.DataType !== IMAGE_TYPE)
    return fault(
      `the image parameter ${name} has the data type ${found.DataType}: make it a parameter of the data type ${IMAGE_TYPE}`,
    );
  const { Value: image = '', Version: version = 0 } = found;
  if (!/^ami-[0-9a-f]+$/.test(image))
    return fault(
      `the image parameter ${name} holds "${image}", which is not the id of an image: write one that begins with ami-`,
    );
  return { value: { version, image }, faults: [], warnings: [] };
}

async function checkImage(reads: GroupReads, id: string): Promise<Found<null>> {
  if (!id.startsWith('ami-')) return { value: null, faults: [], warnings: [] };
  const image = await reads.image(id);
  if (image === null)
    return fault(`the image ${id} does not exist in this region, or this account may not use it`);
  return image.State === 'available'
    ? { value: null, faults: [], warnings: [] }
    : fault(`the image ${id} is ${image.State}: wait until it is available, or name another image`);
}

function fault<T>(sentence: string): Found<T> {
  return { value: null, faults: [sentence], warnings: [] };
}
