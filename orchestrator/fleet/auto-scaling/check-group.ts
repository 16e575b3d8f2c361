import type { AutoScalingGroup, InstanceRefresh } from '@aws-sdk/client-auto-scaling';

/** Names the fleet that a group belongs to. One fleet's journal knows nothing of another fleet's claims. */
const FLEET_TAG = 'reindex-fleet:fleet';

/** What a run needs of its group. */
export interface Wanted {
  readonly workers: number;
  /** The fleet's name. */
  readonly fleet: string;
}

/** What is wrong with a group, one sentence each. The run itself cannot correct any of it. */
export function groupFaults(group: AutoScalingGroup, { workers, fleet }: Wanted): string[] {
  const owner = fleetOf(group);
  const { MinSize = 0, MaxSize = 0, Status, NewInstancesProtectedFromScaleIn, WarmPoolConfiguration } = group;
  return [
    ...(owner === undefined || owner === fleet
      ? []
      : [
          `its tag ${FLEET_TAG} says that it belongs to the fleet ${owner}, but this is the fleet ${fleet}. Two fleets on one group would end each other's instances: correct auto_scaling.group or fleet`,
        ]),
    ...(Status === undefined ? [] : [`it is being deleted (${Status})`]),
    ...(MinSize === 0 ? [] : [`its minimum is ${MinSize}, but the fleet must reach zero: set it to 0`]),
    ...(MaxSize >= workers
      ? []
      : [
          `its maximum is ${MaxSize}, but workers.count is ${workers}: raise the maximum, or lower workers.count (--workers)`,
        ]),
    ...(NewInstancesProtectedFromScaleIn === true
      ? []
      : [
          'its new instances are not protected from scale-in, so the group itself would choose which worker ends: set NewInstancesProtectedFromScaleIn',
        ]),
    ...(WarmPoolConfiguration === undefined
      ? []
      : ['it has a warm pool. The instances of a warm pool cost money and never reach zero: delete it']),
    ...suspended(group, ['Launch', 'Terminate']).map(
      (process) => `its process ${process} is suspended: resume it`,
    ),
    ...mixedFaults(group),
  ];
}

/**
 * What a person should know about a group. A run goes on in spite of it. But an instance that ends by itself is not
 * replaced before the deadline of the capacity.
 */
export function groupWarnings(group: AutoScalingGroup, { fleet }: Pick<Wanted, 'fleet'>): string[] {
  return [
    ...suspended(group, ['HealthCheck', 'ReplaceUnhealthy']).map(
      (process) => `its process ${process} is suspended: a worker that ends by itself is not replaced`,
    ),
    ...(fleetOf(group) === undefined
      ? [
          `it has no tag ${FLEET_TAG}, so a run of another fleet could use it too: add this tag with the value ${fleet}`,
        ]
      : []),
  ];
}

function fleetOf({ Tags = [] }: AutoScalingGroup): string | undefined {
  return Tags.find(({ Key }) => Key === FLEET_TAG)?.Value;
}

/** Checks that every instance counts as one and comes from the one template that the run is pinned to. */
function mixedFaults({ MixedInstancesPolicy, DesiredCapacityType }: AutoScalingGroup): string[] {
  const overrides = MixedInstancesPolicy?.LaunchTemplate?.Overrides ?? [];
  const isWeighted = overrides.some(({ WeightedCapacity }) => WeightedCapacity !== undefined);
  const isSplit = overrides.some(
    ({ LaunchTemplateSpecification, ImageId }) =>
      LaunchTemplateSpecification !== undefined || ImageId !== undefined,
  );
  return [
    ...(isWeighted || (DesiredCapacityType ?? 'units') !== 'units'
      ? ['it counts its capacity in weights, but a run counts instances: remove WeightedCapacity']
      : []),
    ...(isSplit ? ['some of its instance types have their own launch template or image: remove those'] : []),
  ];
}

function suspended({ SuspendedProcesses = [] }: AutoScalingGroup, processes: readonly string[]): string[] {
  const names = new Set(SuspendedProcesses.map(({ ProcessName }) => ProcessName));
  return processes.filter((process) => names.has(process));
}

/**
 * The statuses of an instance refresh that has not ended:
 * https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
 */
const UNDER_WAY = new Set(['Pending', 'InProgress', 'Cancelling', 'RollbackInProgress', 'Baking']);

export function refreshFaults(refreshes: readonly InstanceRefresh[]): string[] {
  return refreshes
    .filter(({ Status = '' }) => UNDER_WAY.has(Status))
    .map(
      ({ InstanceRefreshId, Status }) =>
        `its instance refresh ${InstanceRefreshId} is under way (${Status}): wait for it, or cancel it`,
    );
}
