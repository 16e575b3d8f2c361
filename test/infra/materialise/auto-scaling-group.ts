import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import { kind } from './kind.ts';
import { members } from './names.ts';

export const autoScalingGroup = kind<Unwrap<aws.autoscaling.GroupArgs>>({
  type: 'aws:autoscaling/group:Group',
  untold: {
    waitForCapacityTimeout: 'how long the provider waits for instances, 0: not at all',
    forceDelete: 'how it goes again: with its instances',
  },
  async make(inputs, call) {
    const { name, vpcZoneIdentifiers, protectFromScaleIn, tags, ...others } = inputs;
    const { suspendedProcesses, enabledMetrics, metricsGranularity, ...group } = others;
    await call('autoscaling', 'CreateAutoScalingGroup', {
      AutoScalingGroupName: name,
      ...members(group),
      VPCZoneIdentifier: vpcZoneIdentifiers?.join(','),
      NewInstancesProtectedFromScaleIn: protectFromScaleIn,
      Tags: tags?.map((tag) => ({
        ResourceId: name,
        ResourceType: 'auto-scaling-group',
        ...members(tag),
      })),
    });
    await call('autoscaling', 'SuspendProcesses', {
      AutoScalingGroupName: name,
      ScalingProcesses: suspendedProcesses,
    });
    await call('autoscaling', 'EnableMetricsCollection', {
      AutoScalingGroupName: name,
      Metrics: enabledMetrics,
      Granularity: metricsGranularity,
    });
    return { id: name ?? '' };
  },
  async remove({ name, forceDelete }, call) {
    await call('autoscaling', 'DeleteAutoScalingGroup', {
      AutoScalingGroupName: name,
      ForceDelete: forceDelete,
    });
  },
});
