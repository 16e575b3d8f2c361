import type { Fleet, FleetInstance, FleetView } from '../../orchestrator/fleet/fleet.ts';
import type { Scheduler } from './scheduler.ts';

export interface GroupTiming {
  /** The time from a change of the desired capacity to the launch that it causes. */
  readonly reactMs: number;
  /** So many instances are launched at once, one second after the other. By default all are launched at once. */
  readonly launchesPerSecond?: number;
  /** The time from launch to a running machine. */
  readonly bootMs: number;
  /** The time from a terminate call to the end of the machine. */
  readonly shutdownMs: number;
}

export interface GroupWatch {
  running(instance: string): void;
  gone(instance: string): void;
}

interface Member {
  readonly id: string;
  readonly run: string | null;
  readonly image: string;
  readonly launchedMs: number;
  phase: FleetInstance['phase'];
  endedMs: number | null;
  decrements: number;
}

/** An instance as the group shows it, not yet compared with the pin of a run. */
export interface GroupView extends Pick<FleetView, 'desired' | 'exact' | 'launchFailures'> {
  readonly instances: readonly (Omit<FleetInstance, 'misfit'> & { readonly image: string })[];
  /** The source from which the next instance is launched. */
  readonly image: string;
}

/** The image that the parameter names at first. */
const FIRST_IMAGE = 'ami-1';
/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html */
const NO_CAPACITY =
  'InsufficientInstanceCapacity: We currently do not have sufficient c7g.large capacity in the Availability Zone you requested.';

/**
 * A group of instances as an Auto Scaling group is, in virtual time, where the moto of the tests is not:
 *
 * - it launches what is missing to the desired capacity and replaces what ends
 *   (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-benefits.html);
 * - it never chooses a victim, since its instances are protected from scale-in, and a terminate call ends a protected one
 *   all the same (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html);
 * - a `resolve:ssm:` image is resolved anew at each launch
 *   (https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html);
 * - the desired capacity stays between minimum and maximum, and a decrement below the minimum is refused
 *   (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scaling-manually.html);
 * - a launch without capacity fails, is told among the activities, and is tried again until the desired capacity is there
 *   (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html);
 * - looks may be stale (https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html).
 *
 * A repeated decrement is applied again until the instance is gone. AWS does not document the answer to a repeated call,
 * so this is the pessimistic reading.
 */
export class VirtualGroup {
  desired = 0;
  /** How the names of its instances begin. */
  prefix = 'i-';
  readonly minimum = 0;
  maximum = 100;
  /** Until this time the cloud gives no more than `capacity` instances. */
  shortUntilMs = 0;
  capacity = 0;
  #image = FIRST_IMAGE;
  #failures: FleetView['launchFailures'] = [];
  /** The run that new instances belong to. */
  run: string | null = null;
  readonly url: (instance: string) => string;
  readonly #scheduler: Scheduler;
  readonly #timing: GroupTiming;
  readonly #watch: GroupWatch;
  readonly #members = new Map<string, Member>();
  readonly #views: { readonly atMs: number; readonly view: GroupView }[] = [];
  #launched = 0;

  constructor(
    scheduler: Scheduler,
    timing: GroupTiming,
    watch: GroupWatch,
    url = (id: string) => `virtual:${id}`,
  ) {
    this.#scheduler = scheduler;
    this.#timing = timing;
    this.#watch = watch;
    this.url = url;
    this.#note();
  }

  /** How the group looked so long ago. */
  view(staleMs: number): GroupView {
    const wanted = this.#scheduler.nowMs - staleMs;
    const found = this.#views.findLast(({ atMs }) => atMs <= wanted) ?? this.#views[0];
    if (found === undefined) throw new Error('a group always has a view');
    return found.view;
  }

  setDesired(count: number): void {
    if (count < this.minimum || count > this.maximum)
      throw new Error(`ValidationError: New SetDesiredCapacity value ${count} is out of bounds`);
    this.desired = count;
    this.#note();
    this.#scheduler.after(this.#timing.reactMs, () => this.#keepCapacity());
  }

  terminate(id: string, decrement: boolean): void {
    const member = this.#members.get(id);
    if (member === undefined || member.phase === 'gone')
      throw new Error(
        `ValidationError: Instance Id not found - No managed instance found for instance ID: ${id}`,
      );
    if (decrement) {
      if (this.desired - 1 < this.minimum)
        throw new Error(
          `ValidationError: Terminating instance without replacement will violate group's min size constraint.`,
        );
      this.desired -= 1;
      member.decrements += 1;
    }
    if (member.phase !== 'terminating') this.#end(member);
    this.#note();
  }

  /** The machine ends by itself. */
  crash(id: string): void {
    const member = this.#members.get(id);
    if (member !== undefined && (member.phase === 'running' || member.phase === 'pending')) this.#end(member);
  }

  /** Launches one instance whatever the desired capacity is: for another run, or for none. */
  launchForeign(): void {
    this.desired += 1;
    this.#launch();
  }

  /** The image that the parameter names now. */
  get image(): string {
    return this.#image;
  }

  set image(image: string) {
    this.#image = image;
    this.#note();
  }

  imageOf(id: string): string | null {
    return this.#members.get(id)?.image ?? null;
  }

  decrementsOf(id: string): number {
    return this.#members.get(id)?.decrements ?? 0;
  }

  get live(): string[] {
    return [...this.#members.values()]
      .filter(({ phase }) => phase === 'pending' || phase === 'running')
      .map(({ id }) => id);
  }

  /** The live instances that were launched for a run. */
  liveOf(run: string): string[] {
    return this.live.filter((id) => this.#members.get(id)?.run === run);
  }

  get ids(): string[] {
    return [...this.#members.keys()];
  }

  #keepCapacity(): void {
    const { length } = this.live;
    const given =
      this.#scheduler.nowMs < this.shortUntilMs ? Math.min(this.desired, this.capacity) : this.desired;
    const { launchesPerSecond = Number.POSITIVE_INFINITY } = this.#timing;
    for (let missing = Math.min(given - length, launchesPerSecond); missing > 0; missing -= 1) this.#launch();
    if (given - length > launchesPerSecond) this.#scheduler.after(1_000, () => this.#keepCapacity());
    if (this.desired <= given) return;
    const at = new Date(this.#scheduler.nowMs).toISOString();
    this.#failures = [{ at, reason: NO_CAPACITY }, ...this.#failures].slice(0, 5);
    this.#note();
    this.#scheduler.after(5_000, () => this.#keepCapacity());
  }

  #launch(): void {
    this.#launched += 1;
    const member: Member = {
      id: `${this.prefix}${this.#launched}`,
      run: this.run,
      image: this.image,
      launchedMs: this.#scheduler.nowMs,
      phase: 'pending',
      endedMs: null,
      decrements: 0,
    };
    this.#members.set(member.id, member);
    this.#note();
    this.#scheduler.after(this.#timing.bootMs, () => {
      if (member.phase !== 'pending') return;
      member.phase = 'running';
      this.#note();
      this.#watch.running(member.id);
    });
  }

  #end(member: Member): void {
    member.phase = 'terminating';
    member.endedMs = this.#scheduler.nowMs;
    this.#note();
    this.#scheduler.after(this.#timing.shutdownMs, () => {
      member.phase = 'gone';
      this.#note();
      this.#watch.gone(member.id);
    });
    this.#scheduler.after(this.#timing.reactMs, () => this.#keepCapacity());
  }

  /** Views are kept for as long as one may be stale. */
  #note(): void {
    const instances = [...this.#members.values()].map(({ id, phase, run, image, launchedMs, endedMs }) => ({
      id,
      phase,
      run,
      image,
      detail: null,
      launchedAt: new Date(launchedMs).toISOString(),
      endedAt: endedMs === null ? null : new Date(endedMs).toISOString(),
      url: phase === 'running' ? this.url(id) : null,
    }));
    const atMs = this.#scheduler.nowMs;
    const { desired, image } = this;
    // Only the last state of a moment can be seen.
    if (this.#views.at(-1)?.atMs === atMs) this.#views.pop();
    this.#views.push({
      atMs,
      view: { desired, instances, exact: false, launchFailures: this.#failures, image },
    });
    if (this.#views.length > 200) this.#views.shift();
  }
}

/** How the group looks to a run that is pinned to an image; null: to nobody's run. */
export function viewFor(pinned: string | null, { image, instances, ...view }: GroupView): FleetView {
  const differs = (other: string): boolean => pinned !== null && other !== pinned;
  return {
    ...view,
    launchFault: differs(image) ? `the parameter names ${image}, this run is pinned to ${pinned}` : null,
    instances: instances.map(({ image: own, ...instance }) => ({
      ...instance,
      misfit: differs(own) ? `its image is ${own}, this run is pinned to ${pinned}` : null,
    })),
  };
}

/** The port to a virtual group, without a network between. */
export function fleetOf(group: VirtualGroup): Fleet {
  return {
    observe: () => Promise.resolve(viewFor(null, group.view(0))),
    setDesired: async (count) => group.setDesired(count),
    terminate: async (instance, { decrement }) => group.terminate(instance, decrement),
    close: () => Promise.resolve(),
  };
}
