import type * as aws from '@pulumi/aws';
import type { types } from '@pulumi/aws';
import type { Input } from '@pulumi/pulumi';
import { journalTag } from '../exclusion/journal-place.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';

export interface GroupParts {
  readonly templateId: Input<string>;
  /** A number: a group that takes `$Latest` would launch something else in the middle of a run. */
  readonly templateVersion: Input<string>;
  readonly subnets: Input<Input<string>[]>;
}

/** A group that rests at zero, launches what the orchestrator asks for, and chooses no instance to end by itself. */
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
    // Both would end workers at work: one to even out zones, one at a mere rebalance recommendation.
    suspendedProcesses: ['AZRebalance'],
    capacityRebalance: false,
    // Whether a worker is well is the orchestrator's to see, see `GET /healthcheck`; the group sees whether its machine runs.
    healthCheckType: 'EC2',
    healthCheckGracePeriod: instances.health_check_grace_seconds,
    enabledMetrics: [...GROUP_METRICS],
    metricsGranularity: '1Minute',
    // Nothing is launched by a deployment, so there is nothing to wait for.
    waitForCapacityTimeout: '0',
    // Instances that are protected from scale-in would keep a group from being deleted.
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
