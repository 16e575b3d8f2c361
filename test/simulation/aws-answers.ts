import type { Activity, AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Instance } from '@aws-sdk/client-ec2';
import type { GroupPin } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import type { GroupView, VirtualGroup } from './group.ts';

type ViewedInstance = GroupView['instances'][number];

/** The parts of a call on which its answer depends. */
export interface Input {
  readonly InstanceId?: string;
  readonly ShouldDecrementDesiredCapacity?: boolean;
  readonly DesiredCapacity?: number;
  readonly MaxResults?: number;
  readonly MaxRecords?: number;
  readonly NextToken?: string;
}

/** Answers a call for a virtual group as it was `staleMs` ago, with all that the adapter reads of AWS's answer. */
export function answersOf(
  group: VirtualGroup,
  pin: GroupPin,
  staleMs: number,
): (action: string, input: Input) => object {
  return (action, input) => {
    const view = group.view(staleMs);
    switch (action) {
      case 'DescribeAutoScalingGroups':
        return { AutoScalingGroups: [groupOf(view, pin)] };
      case 'DescribeInstances': {
        const { items, NextToken } = pageOf(view.instances, input.MaxResults ?? 1_000, input.NextToken);
        return { Reservations: [{ Instances: items.map(instanceOf) }], NextToken };
      }
      case 'DescribeScalingActivities': {
        const { items, NextToken } = pageOf(activitiesOf(view), input.MaxRecords ?? 100, input.NextToken);
        return { Activities: items, NextToken };
      }
      case 'GetParameter':
        return { Parameter: { Version: pin.parameter?.version, Value: view.image } };
      case 'SetDesiredCapacity':
        group.setDesired(input.DesiredCapacity ?? 0);
        return {};
      case 'TerminateInstanceInAutoScalingGroup':
        group.terminate(input.InstanceId ?? '', input.ShouldDecrementDesiredCapacity === true);
        return {};
      default:
        throw new Error(`a virtual group does not answer ${action}`);
    }
  };
}

function groupOf({ desired, instances }: GroupView, pin: GroupPin): AutoScalingGroup {
  const { id, version } = pin.template;
  const LaunchTemplate = { LaunchTemplateId: id, Version: version };
  const members = instances.filter(({ phase }) => phase !== 'gone');
  return {
    AutoScalingGroupName: pin.group,
    MinSize: 0,
    MaxSize: 1_000,
    DesiredCapacity: desired,
    DefaultCooldown: 0,
    AvailabilityZones: [],
    HealthCheckType: 'EC2',
    CreatedTime: new Date(0),
    LaunchTemplate,
    Instances: members.map((member) => ({
      InstanceId: member.id,
      AvailabilityZone: 'eu-central-1a',
      LifecycleState: member.phase === 'terminating' ? 'Terminating' : 'InService',
      HealthStatus: 'Healthy',
      ProtectedFromScaleIn: true,
      LaunchTemplate,
    })),
  };
}

/** The name of the group, as the pin of a run has it. */
const GROUP = 'virtual';

const STATES = {
  pending: 'pending',
  running: 'running',
  terminating: 'shutting-down',
  gone: 'terminated',
} as const;

function instanceOf({ id, phase, image, launchedAt, endedAt }: ViewedInstance): Instance {
  return {
    InstanceId: id,
    ImageId: image,
    Tags: [{ Key: 'aws:autoscaling:groupName', Value: GROUP }],
    PrivateIpAddress: id,
    State: { Name: STATES[phase] },
    LaunchTime: new Date(launchedAt ?? 0),
    StateTransitionReason:
      endedAt === null ? '' : `User initiated (${endedAt.slice(0, 19).replace('T', ' ')} GMT)`,
  };
}

/** The group's activities, the newest first. */
function activitiesOf({ instances, launchFailures }: GroupView): Activity[] {
  const launches = instances.map(({ id, launchedAt }) =>
    activity(`Launching a new EC2 instance: ${id}`, 'Successful', launchedAt ?? ''),
  );
  const failures = launchFailures.map(({ at, reason }) =>
    activity(`Launching a new EC2 instance.  Status Reason: ${reason}`, 'Failed', at),
  );
  return [...launches, ...failures].sort((a, b) => Number(b.StartTime) - Number(a.StartTime));
}

function activity(Description: string, StatusCode: 'Successful' | 'Failed', at: string): Activity {
  const StartTime = new Date(at);
  return {
    ActivityId: `${Description} ${at}`,
    AutoScalingGroupName: 'virtual',
    Cause: 'a change of the desired capacity',
    Description,
    StatusCode,
    StartTime,
  };
}

function pageOf<T>(
  all: readonly T[],
  most: number,
  token: string | undefined,
): { readonly items: readonly T[]; readonly NextToken?: string } {
  const from = Number(token ?? 0);
  const items = all.slice(from, from + most);
  return from + most < all.length ? { items, NextToken: String(from + most) } : { items };
}
