import type { Activity, AutoScalingGroup, LaunchTemplateOverrides } from '@aws-sdk/client-auto-scaling';
import { describe, expect, test } from 'vitest';
import {
  groupFaults,
  groupWarnings,
  refreshFaults,
} from '../../orchestrator/fleet/auto-scaling/check-group.ts';
import { launchFaultOf } from '../../orchestrator/fleet/auto-scaling/launch-source.ts';
import { templateOf } from '../../orchestrator/fleet/auto-scaling/launch-template.ts';
import { Remembered } from '../../orchestrator/fleet/auto-scaling/remembered.ts';
import { launchFailuresOf, showsEnough } from '../../orchestrator/fleet/auto-scaling/scaling-activities.ts';
import type { GroupPin } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';

const WANTED = { workers: 4, fleet: 'books' };

/** As DescribeAutoScalingGroups answers of one that is fit for four workers. */
function group(more: Partial<AutoScalingGroup> = {}): AutoScalingGroup {
  return {
    AutoScalingGroupName: 'books',
    MinSize: 0,
    MaxSize: 4,
    DesiredCapacity: 0,
    DefaultCooldown: 300,
    AvailabilityZones: ['eu-central-1a'],
    HealthCheckType: 'EC2',
    CreatedTime: new Date('2026-11-01T00:00:00.000Z'),
    NewInstancesProtectedFromScaleIn: true,
    ...more,
  };
}

function mixed(...Overrides: LaunchTemplateOverrides[]): AutoScalingGroup {
  const LaunchTemplateSpecification = { LaunchTemplateId: 'lt-0a1b', Version: '3' };
  return group({ MixedInstancesPolicy: { LaunchTemplate: { LaunchTemplateSpecification, Overrides } } });
}

describe('the check of an Auto Scaling group', () => {
  test('takes the launch template of a mixed group from its instances policy', () => {
    const types = mixed({ InstanceType: 'c7g.large' }, { InstanceType: 'c6g.large' });
    expect(groupFaults(types, WANTED)).toEqual([]);
    expect(templateOf(types)).toEqual({ id: 'lt-0a1b', version: '3' });
  });

  test('assumes the default template version when the group names none', () => {
    expect(templateOf(group({ LaunchTemplate: { LaunchTemplateId: 'lt-0a1b' } }))?.version).toBe('$Default');
  });

  test.each([
    ['weights', { InstanceType: 'c7g.large', WeightedCapacity: '2' }, 'remove WeightedCapacity'],
    [
      'several templates',
      { InstanceType: 'c7g.large', LaunchTemplateSpecification: { LaunchTemplateId: 'lt-0b' } },
      'their own launch template or image',
    ],
    ['several images', { ImageId: 'ami-0bbb' }, 'their own launch template or image'],
  ])('refuses a group with %s', (_, override, words) => {
    expect(groupFaults(mixed(override), WANTED)).toEqual([expect.stringContaining(words)]);
  });

  test('refuses a group of another fleet, and warns of a group without a fleet tag', () => {
    const of = (fleet: string): AutoScalingGroup =>
      group({ Tags: [{ Key: 'reindex-fleet:fleet', Value: fleet }] });
    expect(groupFaults(of('films'), WANTED)).toEqual([
      expect.stringContaining('belongs to the fleet films, but this is the fleet books'),
    ]);
    expect(groupFaults(of('books'), WANTED)).toEqual([]);
    expect(groupWarnings(of('books'), WANTED)).toEqual([]);
    expect(groupWarnings(group(), WANTED)).toEqual([expect.stringContaining('with the value books')]);
  });

  test('refuses a group that counts in vCPUs, has a warm pool or is being deleted', () => {
    expect(groupFaults(group({ DesiredCapacityType: 'vcpu' }), WANTED)).toHaveLength(1);
    expect(groupFaults(group({ WarmPoolConfiguration: { MinSize: 0 } }), WANTED)).toEqual([
      expect.stringContaining('warm pool'),
    ]);
    expect(groupFaults(group({ Status: 'Delete in progress' }), WANTED)).toEqual([
      'it is being deleted (Delete in progress)',
    ]);
  });

  test.each([
    ['Pending', 1],
    ['Baking', 1],
    ['RollbackInProgress', 1],
    ['Successful', 0],
    ['Cancelled', 0],
    ['Failed', 0],
  ] as const)('of a group whose instance refresh is %s finds %i faults', (Status, count) => {
    expect(refreshFaults([{ InstanceRefreshId: 'r-1', Status }])).toHaveLength(count);
  });
});

describe('the check of what would be launched now', () => {
  const pin: GroupPin = {
    region: 'eu-central-1',
    group: 'books',
    template: { id: 'lt-0a1b', version: '3' },
    image: 'ami-0aaa',
    parameter: { name: '/books/image', version: 5 },
  };
  const template = { id: 'lt-0a1b', version: '3' };
  const parameter = { version: 5, image: 'ami-0aaa' };

  test('passes when template and image parameter match the pin of the run', () => {
    expect(launchFaultOf(pin, { template, parameter })).toBe(null);
    expect(launchFaultOf({ ...pin, parameter: null }, { template, parameter: null })).toBe(null);
  });

  test.each([
    ['template lost', { template: null, parameter }, 'the group books has lost its launch template'],
    [
      'another template',
      { template: { id: 'lt-0c', version: '3' }, parameter },
      'version 3 of the launch template lt-0c',
    ],
    ['parameter gone', { template, parameter: null }, 'the image parameter /books/image is gone'],
    [
      'parameter written again',
      { template, parameter: { version: 6, image: 'ami-0aaa' } },
      'now at version 6',
    ],
    [
      'parameter deleted and made anew',
      { template, parameter: { version: 5, image: 'ami-0bbb' } },
      'ami-0bbb',
    ],
  ])('says what is there, what is pinned and what to do after a change: %s', (_, source, words) => {
    const fault = launchFaultOf(pin, source);
    expect(fault).toContain(words);
    expect(fault).toMatch(/this run is pinned to .*`reindex-fleet abandon`/);
  });
});

describe('the launch failures of a group', () => {
  const activity = (minute: number, more: Partial<Activity>): Activity => ({
    ActivityId: `a-${minute}`,
    AutoScalingGroupName: 'books',
    Description: 'Launching a new EC2 instance.  Status Reason: see StatusMessage',
    Cause: 'At 2026-11-26T09:00:00Z an instance was started',
    StartTime: new Date(Date.UTC(2026, 10, 26, 9, minute)),
    StatusCode: 'Failed',
    ...more,
  });
  const since = new Date('2026-11-26T09:10:00.000Z');

  test('are shown newest first since the start of the run, with the code to look up', () => {
    const activities = [
      activity(12, {
        StatusMessage:
          'We currently do not have sufficient c7g.large capacity in the Availability Zone you requested (eu-central-1a). Launching EC2 instance failed.',
      }),
      activity(14, {
        StatusMessage:
          'Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration.',
      }),
      activity(9, { StatusMessage: 'from before the run' }),
    ];
    expect(launchFailuresOf(activities, since)).toEqual([
      {
        at: '2026-11-26T09:14:00.000Z',
        reason:
          'Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration',
      },
      {
        at: '2026-11-26T09:12:00.000Z',
        reason:
          'InsufficientInstanceCapacity: We currently do not have sufficient c7g.large capacity in the Availability Zone you requested (eu-central-1a). Launching EC2 instance failed',
      },
    ]);
  });

  test('exclude launches that succeed or are in progress, and instances protected from scale-in', () => {
    const others = [
      activity(12, { StatusCode: 'Successful' }),
      activity(13, { StatusCode: 'InProgress' }),
      activity(14, {
        StatusCode: 'Cancelled',
        Description:
          'Could not scale to desired capacity because all remaining instances are protected from scale-in.',
      }),
      activity(15, { Description: 'Terminating EC2 instance: i-1' }),
    ];
    expect(launchFailuresOf(others, since)).toEqual([]);
    expect(showsEnough(others, since)).toBe(false);
    expect(showsEnough([...others, activity(16, { StatusCode: 'Cancelled' })], since)).toBe(true);
    expect(showsEnough([...others, activity(3, { StatusCode: 'Successful' })], since)).toBe(true);
  });
});

describe('a remembered answer', () => {
  test('is asked for again when it is too old, and stands while asking fails', async () => {
    let nowMs = 0;
    const answers = ['first', new Error('throttled'), 'third'];
    const asked: number[] = [];
    const remembered = new Remembered<null, string>(
      async () => {
        asked.push(nowMs);
        const answer = answers.shift() ?? 'later';
        if (answer instanceof Error) throw answer;
        return answer;
      },
      { maxAgeMs: 15_000, monotonicMs: () => nowMs },
    );
    const seen: (string | null)[] = [];
    for (; nowMs <= 30_000; nowMs += 5_000) seen.push(await remembered.recent(null));
    expect(seen).toEqual(['first', 'first', 'first', 'first', 'first', 'first', 'third']);
    expect(asked).toEqual([0, 15_000, 30_000]);
    expect(await remembered.fresh(null)).toBe('later');
  });
});
