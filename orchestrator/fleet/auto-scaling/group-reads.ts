import {
  type Activity,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  DescribeInstanceRefreshesCommand,
  type InstanceRefresh,
  paginateDescribeScalingActivities,
} from '@aws-sdk/client-auto-scaling';
import {
  DescribeImagesCommand,
  DescribeLaunchTemplateVersionsCommand,
  type Image,
  type Instance,
  type LaunchTemplateVersion,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import type { Parameter } from '@aws-sdk/client-ssm';
import { callerAccount } from '../../aws/account.ts';
import { awsCodeOf, naming } from '../../aws/aws-error.ts';
import type { AwsClients } from '../../aws/clients.ts';
import { readParameter } from '../../aws/parameter.ts';
import type { NamedTemplate } from './launch-template.ts';

/**
 * The most instances that one answer may hold:
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
 */
const INSTANCES_PER_PAGE = 1_000;
/**
 * The most activities that one answer may hold:
 * https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html
 */
const ACTIVITIES_PER_PAGE = 100;

/**
 * Every instance that a group launches gets this tag by itself:
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
 */
const GROUP_TAG = 'aws:autoscaling:groupName';

/**
 * Escapes a name for a filter. There `*` and `?` stand for any letters, and a group's name may hold both:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 */
function literally(name: string): string {
  return name.replaceAll(/[*?\\]/g, (sign) => `\\${sign}`);
}

/** Every question about a group. No question changes anything. Each failure names its call and resource. */
export class GroupReads {
  readonly name: string;
  readonly #aws: AwsClients;

  constructor(aws: AwsClients, group: string) {
    this.#aws = aws;
    this.name = group;
  }

  /** The account that the credentials belong to. */
  account(): Promise<string> {
    return callerAccount(this.#aws);
  }

  /** The group with all its instances. Null when there is no group of this name. */
  group(): Promise<AutoScalingGroup | null> {
    return naming(this.#onGroup('autoscaling:DescribeAutoScalingGroups'), async () => {
      const client = await this.#aws.autoScaling();
      const input = { AutoScalingGroupNames: [this.name] };
      const { AutoScalingGroups = [] } = await client.send(new DescribeAutoScalingGroupsCommand(input));
      return AutoScalingGroups[0] ?? null;
    });
  }

  /** The group's instances, with those that ended within the last hour. */
  instances(): Promise<Instance[]> {
    const resource = `instances of the group ${this.name}`;
    return naming({ action: 'ec2:DescribeInstances', resource }, async () => {
      const client = await this.#aws.ec2();
      const Filters = [{ Name: `tag:${GROUP_TAG}`, Values: [literally(this.name)] }];
      const found: Instance[] = [];
      for await (const page of paginateDescribeInstances(
        { client, pageSize: INSTANCES_PER_PAGE },
        { Filters },
      ))
        found.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances));
      // The filter may match more than this group, and nobody may end an instance of another group.
      return found.filter(({ Tags = [] }) =>
        Tags.some(({ Key, Value }) => Key === GROUP_TAG && Value === this.name),
      );
    });
  }

  /** Scaling activities, newest first. Pages are read until `enough` says that one shows what is looked for. */
  activities(enough: (page: readonly Activity[]) => boolean): Promise<Activity[]> {
    return naming(this.#onGroup('autoscaling:DescribeScalingActivities'), async () => {
      const client = await this.#aws.autoScaling();
      const pages = paginateDescribeScalingActivities(
        { client, pageSize: ACTIVITIES_PER_PAGE },
        { AutoScalingGroupName: this.name },
      );
      const found: Activity[] = [];
      for await (const { Activities = [] } of pages) {
        found.push(...Activities);
        if (enough(Activities)) break;
      }
      return found;
    });
  }

  /** Instance refreshes, newest first. Those behind the first page are over. */
  refreshes(): Promise<InstanceRefresh[]> {
    return naming(this.#onGroup('autoscaling:DescribeInstanceRefreshes'), async () => {
      const client = await this.#aws.autoScaling();
      const input = { AutoScalingGroupName: this.name };
      return (await client.send(new DescribeInstanceRefreshesCommand(input))).InstanceRefreshes ?? [];
    });
  }

  /** A version of a launch template, with its number. Null when it does not exist. */
  templateVersion({ id, version }: NamedTemplate): Promise<LaunchTemplateVersion | null> {
    const resource = `the launch template ${id}`;
    return naming({ action: 'ec2:DescribeLaunchTemplateVersions', resource }, async () => {
      const client = await this.#aws.ec2();
      const command = new DescribeLaunchTemplateVersionsCommand({
        LaunchTemplateId: id,
        Versions: [version],
      });
      const answer = await orNull(client.send(command), (code) =>
        code.startsWith('InvalidLaunchTemplateId.'),
      );
      return answer?.LaunchTemplateVersions?.[0] ?? null;
    });
  }

  /** An image. Null when the id does not exist, or this account may not use it. */
  image(id: string): Promise<Image | null> {
    return naming({ action: 'ec2:DescribeImages', resource: `the image ${id}` }, async () => {
      const client = await this.#aws.ec2();
      const command = new DescribeImagesCommand({ ImageIds: [id] });
      const answer = await orNull(client.send(command), (code) => code.startsWith('InvalidAMIID.'));
      return answer?.Images?.[0] ?? null;
    });
  }

  /** A parameter, decrypted if it is a secret. Null when there is none of this name. */
  parameter(name: string): Promise<Parameter | null> {
    return readParameter(this.#aws, name);
  }

  #onGroup(action: string): { action: string; resource: string } {
    return { action, resource: `the group ${this.name}` };
  }
}

async function orNull<T>(answer: Promise<T>, isAbsence: (code: string) => boolean): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isAbsence(awsCodeOf(error))) return null;
    throw error;
  }
}
