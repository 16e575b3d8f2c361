import {
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand, type Instance } from '@aws-sdk/client-ec2';
import type { AwsWorld } from './world.ts';

/** A test's own look at its group, and its hand in it. */
type World = Pick<AwsWorld, 'clients' | 'group'>;

export async function groupOf({ clients, group }: World): Promise<AutoScalingGroup> {
  const { AutoScalingGroups: [found] = [] } = await clients.autoScaling.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [group] }),
  );
  if (found === undefined) throw new Error(`There is no group ${group}.`);
  return found;
}

/** Those that the group counts. */
export async function groupIdsOf(world: World): Promise<string[]> {
  return ((await groupOf(world)).Instances ?? []).map(({ InstanceId = '' }) => InstanceId);
}

/** All that the group ever had, also those that have ended, in the order of their launch. */
export async function instancesOf({ clients, group }: World): Promise<Instance[]> {
  const { Reservations = [] } = await clients.ec2.send(
    new DescribeInstancesCommand({ Filters: [{ Name: 'tag:aws:autoscaling:groupName', Values: [group] }] }),
  );
  return Reservations.flatMap(({ Instances = [] }) => Instances);
}

/** Desired 0, and every instance that there ever was has ended. */
export async function isGroupAtZero(world: World): Promise<boolean> {
  const { DesiredCapacity, Instances = [] } = await groupOf(world);
  const states = (await instancesOf(world)).map(({ State }) => State?.Name ?? '');
  const ended = states.every((name) => name === 'shutting-down' || name === 'terminated');
  return DesiredCapacity === 0 && Instances.length === 0 && ended;
}

export async function setDesired({ clients, group }: World, desired: number): Promise<void> {
  await clients.autoScaling.send(
    new SetDesiredCapacityCommand({ AutoScalingGroupName: group, DesiredCapacity: desired }),
  );
}

export async function terminate({ clients }: World, id: string, decrement: boolean): Promise<void> {
  await clients.autoScaling.send(
    new TerminateInstanceInAutoScalingGroupCommand({
      InstanceId: id,
      ShouldDecrementDesiredCapacity: decrement,
    }),
  );
}
