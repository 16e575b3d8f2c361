import type * as aws from '@pulumi/aws';
import type { types } from '@pulumi/aws';
import type { Input } from '@pulumi/pulumi';
import { journalTag } from '../exclusion/journal-place.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';

export interface GroupParts {
  readonly templateId: Input<string>;
  /** A number. With `$Latest` a group could launch another version in the middle of a run. */
  readonly templateVersion: Input<string>;
  readonly subnets: Input<Input<string>[]>;
}

/** A group that has no instance between runs, launches what the orchestrator asks for, and ends no instance by itself. */
export function autoScalingGroup(
  { instances, workers, tags }: Pick<StackSettings, 'instances' | 'workers' | 'tags'>,
  names: Names,
  { templateId, templateVersion, subnets }: GroupParts,
): aws.autoscaling.GroupArgs {
  return {
    name: names.group,
    minSize: 0,
    maxSize: instances.maximum ?? workers.count,
    vpcZoneIdentifiers: subnets,
    mixedInstancesPolicy: {
      launchTemplate: {
        launchTemplateSpecification: { launchTemplateId: templateId, version: templateVersion },
        overrides: instances.types.map((instanceType) => ({ instanceType })),
      },
      instancesDistribution: distribution(instances.spot),
    },
    protectFromScaleIn: true,
    // Both would end workers at work: one to balance zones, one because of a rebalance recommendation.
    suspendedProcesses: ['AZRebalance'],
    capacityRebalance: false,
    // The orchestrator checks each worker's health (`GET /healthcheck`). The group only checks whether the machine runs.
    healthCheckType: 'EC2',
    healthCheckGracePeriod: instances.health_check_grace_seconds,
    enabledMetrics: [...GROUP_METRICS],
    metricsGranularity: '1Minute',
    // A deployment launches nothing, so there is nothing to wait for.
    waitForCapacityTimeout: '0',
    // Without this, instances that are protected from scale-in would block the group's deletion.
    forceDelete: true,
    tags: Object.entries({ ...tagsOf(names, tags), ...journalTag(names) }).map(([key, value]) => ({
      key,
      value,
      propagateAtLaunch: true,
    })),
  };
}

/** Free of charge. https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html */
export const GROUP_METRICS = [
  'GroupDesiredCapacity',
  'GroupInServiceInstances',
  'GroupPendingInstances',
  'GroupTerminatingInstances',
  'GroupTotalInstances',
] as const;

function distribution(
  spot: StackSettings['instances']['spot'],
): types.input.autoscaling.GroupMixedInstancesPolicyInstancesDistribution {
  return spot === null
    ? {
        onDemandAllocationStrategy: 'prioritized',
        onDemandBaseCapacity: 0,
        onDemandPercentageAboveBaseCapacity: 100,
      }
    : {
        onDemandAllocationStrategy: 'prioritized',
        onDemandBaseCapacity: spot.on_demand_base,
        onDemandPercentageAboveBaseCapacity: spot.on_demand_percent,
        spotAllocationStrategy: 'price-capacity-optimized',
      };
}
