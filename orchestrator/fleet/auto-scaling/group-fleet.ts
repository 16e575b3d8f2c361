import {
  type AutoScalingGroup,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { naming } from '../../aws/aws-error.ts';
import type { AwsClients } from '../../aws/clients.ts';
import type { Clock } from '../../clock.ts';
import { RunFailed } from '../../errors.ts';
import type { LaunchFailure } from '../../reconcile/observation.ts';
import { type Fleet, type FleetInstance, type FleetView, isLive } from '../fleet.ts';
import { instancesOf } from './group-instances.ts';
import { GroupReads } from './group-reads.ts';
import { launchFaultOf, type LaunchSource, readLaunchSource } from './launch-source.ts';
import { Remembered } from './remembered.ts';
import { launchFailuresOf, showsEnough } from './scaling-activities.ts';
import type { GroupPin } from './group-pin.ts';

/**
 * How often a look also reads what is beside group and instances. That changes rarely, and a pass ticks every few
 * seconds.
 */
const SIDE_LOOK_MS = 15_000;

export interface GroupFleetOptions {
  readonly aws: AwsClients;
  readonly group: string;
  readonly workerPort: number;
  /** The run whose fleet it is. Null: no run has it, and it is only brought to zero. */
  readonly run: GroupRun | null;
  /**
   * True when a run had the group, which may have been deleted since. Then the desired capacity is 0, and only
   * instances that the group left behind are there. When false, a missing group is a fault of the settings.
   */
  readonly mayBeGone?: boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export interface GroupRun {
  readonly id: string;
  readonly pin: GroupPin;
  /** Only launches that failed after this time count. */
  readonly startedAt: Date;
  /** Whether an instance is the run's: the fleet was at zero under the run's claim, and the instance came later. */
  readonly owns: (instance: string) => boolean;
}

/**
 * An Auto Scaling group. It launches and replaces instances by itself. Its instances are protected from scale-in, so
 * the group never chooses one to end. A look takes two calls, one more for each further 1,000 instances, and now and
 * then up to three more.
 */
export class GroupFleet implements Fleet {
  readonly #options: GroupFleetOptions;
  readonly #reads: GroupReads;
  readonly #launchSource: Remembered<AutoScalingGroup, LaunchSource>;
  readonly #launchFailures: Remembered<Date, LaunchFailure[]>;
  /** The desired capacity that the last look showed. */
  #desired = 0;

  constructor(options: GroupFleetOptions) {
    this.#options = options;
    const reads = new GroupReads(options.aws, options.group);
    const remembering = { maxAgeMs: SIDE_LOOK_MS, monotonicMs: () => options.clock.monotonicMs() };
    this.#reads = reads;
    this.#launchSource = new Remembered(
      (group) => readLaunchSource(reads, group, options.run?.pin.parameter?.name ?? null),
      remembering,
    );
    this.#launchFailures = new Remembered(
      async (since) => launchFailuresOf(await reads.activities((page) => showsEnough(page, since)), since),
      remembering,
    );
  }

  async observe(): Promise<FleetView> {
    const { run, workerPort } = this.#options;
    const [group, known] = await Promise.all([this.#group(), this.#reads.instances()]);
    const instances = instancesOf(group, known, {
      runOf: (id) => (run?.owns(id) === true ? run.id : null),
      pin: run?.pin ?? null,
      workerPort,
    });
    this.#desired = group.DesiredCapacity ?? 0;
    const isShort = instances.filter(isLive).length < this.#desired;
    const [launchFault, launchFailures] =
      run === null
        ? [null, null]
        : await Promise.all([
            this.#launchFault(run, group, instances.some(isLiveMisfit)),
            isShort ? this.#launchFailures.recent(run.startedAt) : null,
          ]);
    return {
      desired: this.#desired,
      instances,
      exact: false,
      launchFault,
      launchFailures: launchFailures ?? [],
    };
  }

  /**
   * Raises or lowers the desired capacity. Before it raises it, it makes sure that new instances would match the run's
   * pin.
   */
  async setDesired(count: number): Promise<void> {
    if (count > this.#desired) await this.#requirePinned();
    const { aws, group } = this.#options;
    const call = { action: 'autoscaling:SetDesiredCapacity', resource: `the group ${group}` };
    await naming(call, async () => {
      const client = await aws.autoScalingChanges();
      const input = { AutoScalingGroupName: group, DesiredCapacity: count, HonorCooldown: false };
      await client.send(new SetDesiredCapacityCommand(input));
    });
  }

  async terminate(instance: string, { decrement }: { decrement: boolean }): Promise<void> {
    const { aws, group } = this.#options;
    const resource = `the instance ${instance} of the group ${group}`;
    await naming({ action: 'autoscaling:TerminateInstanceInAutoScalingGroup', resource }, async () => {
      const client = await aws.autoScalingChanges();
      const input = { InstanceId: instance, ShouldDecrementDesiredCapacity: decrement };
      await client.send(new TerminateInstanceInAutoScalingGroupCommand(input));
    });
  }

  /** Instances stay, because somebody may carry the run on. */
  close(): Promise<void> {
    this.#options.aws.close();
    return Promise.resolve();
  }

  async #group(): Promise<AutoScalingGroup> {
    const group = await this.#reads.group();
    if (group !== null) return group;
    const { aws, mayBeGone = false } = this.#options;
    if (mayBeGone) return goneGroup(this.#options.group);
    throw new RunFailed(
      `there is no Auto Scaling group ${this.#options.group} in region ${aws.region}: correct auto_scaling.group or aws.region`,
    );
  }

  /**
   * @param suspected the group has already launched something else. Until the reason is known, each look costs a
   * replacement
   */
  async #launchFault({ pin }: GroupRun, group: AutoScalingGroup, suspected: boolean): Promise<string | null> {
    if (suspected) this.#launchSource.doubt();
    const source = await this.#launchSource.recent(group);
    return source === null ? null : launchFaultOf(pin, source);
  }

  async #requirePinned(): Promise<void> {
    const { run } = this.#options;
    if (run === null) return;
    const fault = launchFaultOf(run.pin, await this.#launchSource.fresh(await this.#group()));
    if (fault !== null) throw new RunFailed(fault);
  }
}

function isLiveMisfit(instance: FleetInstance): boolean {
  return isLive(instance) && instance.misfit !== null;
}

/** A deleted group, described as if it were still there. */
function goneGroup(name: string): AutoScalingGroup {
  return {
    AutoScalingGroupName: name,
    MinSize: 0,
    MaxSize: 0,
    DesiredCapacity: 0,
    Instances: [],
    DefaultCooldown: undefined,
    AvailabilityZones: [],
    HealthCheckType: undefined,
    CreatedTime: undefined,
  };
}
