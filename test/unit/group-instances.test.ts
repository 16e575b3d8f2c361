import type { AutoScalingGroup, Instance as GroupMember } from '@aws-sdk/client-auto-scaling';
import type { Instance, InstanceStateName } from '@aws-sdk/client-ec2';
import { describe, expect, test } from 'vitest';
import { instancesOf } from '../../orchestrator/fleet/auto-scaling/group-instances.ts';
import type { FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import type { GroupPin } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';

const PIN: GroupPin = {
  region: 'eu-central-1',
  group: 'books',
  template: { id: 'lt-0a1b', version: '3' },
  image: 'ami-0aaa',
  parameter: null,
};
const TEMPLATE = { LaunchTemplateId: 'lt-0a1b', LaunchTemplateName: 'books', Version: '3' };

/** As DescribeInstances answers of one that runs. */
function ec2(state: InstanceStateName, more: Partial<Instance> = {}): Instance {
  return {
    InstanceId: 'i-1',
    ImageId: 'ami-0aaa',
    PrivateIpAddress: '10.0.3.7',
    State: { Name: state },
    LaunchTime: new Date('2026-11-26T09:00:00.000Z'),
    StateTransitionReason: '',
    ...more,
  };
}

function member(LifecycleState: GroupMember['LifecycleState'], more: Partial<GroupMember> = {}): GroupMember {
  return {
    InstanceId: 'i-1',
    AvailabilityZone: 'eu-central-1a',
    LifecycleState,
    HealthStatus: 'Healthy',
    ProtectedFromScaleIn: true,
    LaunchTemplate: TEMPLATE,
    ...more,
  };
}

function seen(
  instances: readonly Instance[],
  members: readonly GroupMember[] = [],
): FleetInstance | undefined {
  const group = { AutoScalingGroupName: 'books', Instances: [...members] } as AutoScalingGroup;
  return instancesOf(group, instances, { runOf: () => 'run-1', pin: PIN, workerPort: 8003 })[0];
}

describe('an instance of an Auto Scaling group', () => {
  test.each(['Terminating:Wait', 'Terminating:Proceed', 'Standby', 'EnteringStandby', 'Detaching'] as const)(
    'gets no work while the group has it in state %s',
    (state) => {
      const aside = seen([ec2('running')], [member(state)]);
      expect(aside?.misfit).toBe(`its group has put it in the state ${state}`);
      expect(seen([ec2('running')], [member('InService')])?.misfit).toBeNull();
    },
  );

  test.each([
    ['pending', 'pending'],
    ['running', 'running'],
    ['stopping', 'running'],
    ['stopped', 'running'],
    ['shutting-down', 'terminating'],
    ['terminated', 'gone'],
  ] as const)('that EC2 reports as %s counts as %s', (state, phase) => {
    const instance = seen([ec2(state)]);
    expect(instance?.phase).toBe(phase);
    expect(instance?.url).toBe(state === 'running' ? 'http://10.0.3.7:8003' : null);
    expect(instance?.launchedAt).toBe('2026-11-26T09:00:00.000Z');
  });

  test('still counts as running, and costs, while a lifecycle hook delays its termination', () => {
    expect(seen([ec2('running')], [member('Terminating:Wait')])?.phase).toBe('running');
  });

  test.each([
    ['Pending', 'pending'],
    ['InService', 'pending'],
    ['Terminating:Wait', 'terminating'],
    ['Terminated', 'terminating'],
  ] as const)('that EC2 does not know and the group reports as %s counts as %s', (state, phase) => {
    expect(seen([], [member(state)])).toEqual({
      id: 'i-1',
      phase,
      run: 'run-1',
      detail: null,
      misfit: null,
      launchedAt: null,
      endedAt: null,
      url: null,
    });
  });
});

describe('the launch source of an instance', () => {
  test('fits when image and template equal the pin', () => {
    expect(seen([ec2('running')], [member('InService')])?.misfit).toBe(null);
  });

  test('does not fit with another template version, which EC2 tags show even after the group forgot it', () => {
    const words =
      'it was launched from version 4 of the launch template lt-0a1b, but this run is pinned to version 3';
    const LaunchTemplate = { ...TEMPLATE, Version: '4' };
    expect(seen([ec2('running')], [member('InService', { LaunchTemplate })])?.misfit).toContain(words);
    const Tags = [
      { Key: 'aws:ec2launchtemplate:id', Value: 'lt-0a1b' },
      { Key: 'aws:ec2launchtemplate:version', Value: '4' },
    ];
    expect(seen([ec2('running', { Tags })])?.misfit).toContain(words);
    const moving = member('InService', { LaunchTemplate: { ...TEMPLATE, Version: '$Latest' } });
    expect(seen([ec2('running', { Tags })], [moving])?.misfit).toContain(words);
  });

  test('is judged by the image alone when the template is unknown', () => {
    expect(seen([ec2('running')])?.misfit).toBe(null);
    expect(seen([ec2('running', { ImageId: 'ami-0bbb' })])?.misfit).toBe(
      'it was launched from the image ami-0bbb, but this run is pinned to ami-0aaa',
    );
  });
});

describe('the end of an instance', () => {
  test('has a time and no reason when somebody terminated it', () => {
    const instance = seen([
      ec2('terminated', {
        StateReason: {
          Code: 'Client.UserInitiatedShutdown',
          Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
        },
        StateTransitionReason: 'User initiated (2026-11-26 09:30:05 GMT)',
      }),
    ]);
    expect(instance).toMatchObject({ detail: null, endedAt: '2026-11-26T09:30:05.000Z' });
  });

  test('has a reason, and a time if EC2 gives one, when it ended by itself', () => {
    const Message = 'Server.SpotInstanceTermination: Spot instance termination';
    const StateReason = { Code: 'Server.SpotInstanceTermination', Message };
    expect(seen([ec2('terminated', { StateReason })])).toMatchObject({ detail: Message, endedAt: null });
    expect(
      seen([
        ec2('shutting-down', { StateReason: { Code: 'Server.InternalError', Message: 'An internal error' } }),
      ]),
    ).toMatchObject({ detail: 'Server.InternalError: An internal error', endedAt: null });
    expect(
      seen([
        ec2('terminated', {
          StateTransitionReason: 'Server.InsufficientInstanceCapacity (2026-11-26 09:30:05 GMT)',
        }),
      ]),
    ).toMatchObject({
      detail: 'Server.InsufficientInstanceCapacity (2026-11-26 09:30:05 GMT)',
      endedAt: '2026-11-26T09:30:05.000Z',
    });
  });

  test('is unset for an instance that was stopped and started again', () => {
    const StateTransitionReason = 'User initiated (2026-11-26 09:30:05 GMT)';
    expect(seen([ec2('running', { StateTransitionReason })])).toMatchObject({ detail: null, endedAt: null });
    expect(seen([ec2('stopped', { StateTransitionReason })])).toMatchObject({ endedAt: null });
  });
});
