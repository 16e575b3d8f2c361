import type { AutoScalingGroup, InstanceRefresh } from '@aws-sdk/client-auto-scaling';

/** Says which fleet a group belongs to: what the journal of one fleet claims, that of another knows nothing of. */
const FLEET_TAG = 'reindex-fleet:fleet';

/** What a run wants of its group. */
export interface Wanted {
  readonly workers: number;
  /** The fleet's name. */
  readonly fleet: string;
}

/** What is wrong with a group, one sentence each; none can be mended by the run itself. */
export function groupFaults(group: AutoScalingGroup, { workers, fleet }: Wanted): string[] {
  const owner = fleetOf(group);
  const { MinSize = 0, MaxSize = 0, Status, NewInstancesProtectedFromScaleIn, WarmPoolConfiguration } = group;
  return [
    ...(owner === undefined || owner === fleet
      ? []
      : [
          `its tag ${FLEET_TAG} says that it belongs to the fleet ${owner}, and this is ${fleet}: two fleets would end each other's instances; mend auto_scaling.group or fleet`,
        ]),
    ...(Status === undefined ? [] : [`it is being deleted (${Status})`]),
    ...(MinSize === 0 ? [] : [`its minimum is ${MinSize}, and the fleet must reach zero: set it to 0`]),
    ...(MaxSize >= workers
      ? []
      : [
          `its maximum is ${MaxSize}, and workers.count is ${workers}: raise the one, or lower the other (--workers)`,
        ]),
    ...(NewInstancesProtectedFromScaleIn === true
      ? []
      : [
          'its new instances are not protected from scale-in, so the group would choose by itself which worker ends: set NewInstancesProtectedFromScaleIn',
        ]),
    ...(WarmPoolConfiguration === undefined
      ? []
      : ['it has a warm pool, whose instances cost and are never at zero: delete it']),
    ...suspended(group, ['Launch', 'Terminate']).map(
      (process) => `its process ${process} is suspended: resume it`,
    ),
    ...mixedFaults(group),
  ];
}

/** Without these the group goes on, but an instance that ends by itself keeps its place until the capacity's deadline. */
export function groupWarnings(group: AutoScalingGroup, { fleet }: Pick<Wanted, 'fleet'>): string[] {
  return [
    ...suspended(group, ['HealthCheck', 'ReplaceUnhealthy']).map(
      (process) => `its process ${process} is suspended: a worker that ends by itself is not replaced`,
    ),
    ...(fleetOf(group) === undefined
      ? [
          `it has no tag ${FLEET_TAG}, so a run of another fleet could take it as well: give it that tag with the value ${fleet}`,
        ]
      : []),
  ];
}

function fleetOf({ Tags = [] }: AutoScalingGroup): string | undefined {
  return Tags.find(({ Key }) => Key === FLEET_TAG)?.Value;
}

/** Every instance must count as one, and be launched from the one template that the run is pinned to. */
function mixedFaults({ MixedInstancesPolicy, DesiredCapacityType }: AutoScalingGroup): string[] {
  const overrides = MixedInstancesPolicy?.LaunchTemplate?.Overrides ?? [];
  const isWeighted = overrides.some(({ WeightedCapacity }) => WeightedCapacity !== undefined);
  const isSplit = overrides.some(
    ({ LaunchTemplateSpecification, ImageId }) =>
      LaunchTemplateSpecification !== undefined || ImageId !== undefined,
  );
  return [
    ...(isWeighted || (DesiredCapacityType ?? 'units') !== 'units'
      ? ['it counts its capacity in weights, and this orchestrator in instances: leave WeightedCapacity out']
      : []),
    ...(isSplit
      ? ['some of its instance types have a launch template or an image of their own: leave these out']
      : []),
  ];
}

function suspended({ SuspendedProcesses = [] }: AutoScalingGroup, processes: readonly string[]): string[] {
  const names = new Set(SuspendedProcesses.map(({ ProcessName }) => ProcessName));
  return processes.filter((process) => names.has(process));
}

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html: every other status is an end. */
const UNDER_WAY = new Set(['Pending', 'InProgress', 'Cancelling', 'RollbackInProgress', 'Baking']);

export function refreshFaults(refreshes: readonly InstanceRefresh[]): string[] {
  return refreshes
    .filter(({ Status = '' }) => UNDER_WAY.has(Status))
    .map(
      ({ InstanceRefreshId, Status }) =>
        `its instance refresh ${InstanceRefreshId} is under way (${Status}): wait for it, or cancel it`,
    );
}
