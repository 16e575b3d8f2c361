import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';
import type { Fleet, FleetInstance, FleetView } from '../../orchestrator/fleet/fleet.ts';
import type { Scheduler } from './scheduler.ts';

export interface GroupTiming {
  /** From a change of the desired capacity to the launch that it causes. */
  readonly reactMs: number;
  /** From launch to a machine that runs. */
  readonly bootMs: number;
  /** From a terminate call to the end of the machine. */
  readonly shutdownMs: number;
}

export interface GroupWatch {
  running(instance: string): void;
  gone(instance: string): void;
}

interface Member {
  readonly id: string;
  readonly run: string | null;
  phase: FleetInstance['phase'];
  decrements: number;
}

/**
 * A group of instances as an Auto Scaling group is, in virtual time: it launches what is missing to the desired capacity,
 * replaces what ends, and never chooses a victim, since its instances are protected from scale-in. A decrement is
 * applied as often as it is asked for while the instance is not gone: the pessimistic reading of an API whose answer to a
 * repeated call is not documented.
 */
export class VirtualGroup {
  desired = 0;
  /** Launches fail before this: the cloud has no capacity. */
  emptyUntilMs = 0;
  /** The run that new instances belong to. */
  run: string | null = null;
  readonly url: (instance: string) => string;
  readonly #scheduler: Scheduler;
  readonly #timing: GroupTiming;
  readonly #watch: GroupWatch;
  readonly #members = new Map<string, Member>();
  readonly #views: { readonly atMs: number; readonly view: FleetView }[] = [];
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

  /** How things were so long ago. */
  view(staleMs: number): FleetView {
    const wanted = this.#scheduler.nowMs - staleMs;
    const found = this.#views.findLast(({ atMs }) => atMs <= wanted) ?? this.#views[0];
    if (found === undefined) throw new Error('a group always has a view');
    return found.view;
  }

  setDesired(count: number): void {
    this.desired = count;
    this.#note();
    this.#scheduler.after(this.#timing.reactMs, () => this.#keepCapacity());
  }

  terminate(id: string, decrement: boolean): void {
    const member = this.#members.get(id);
    if (member === undefined || member.phase === 'gone') throw new Error(`no instance ${id} in the group`);
    if (decrement) {
      this.desired = Math.max(0, this.desired - 1);
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

  /** Launches one, whatever is desired: of another run, or of nobody's. */
  launchForeign(): void {
    this.desired += 1;
    this.#launch();
  }

  decrementsOf(id: string): number {
    return this.#members.get(id)?.decrements ?? 0;
  }

  get live(): string[] {
    return [...this.#members.values()]
      .filter(({ phase }) => phase === 'pending' || phase === 'running')
      .map(({ id }) => id);
  }

  /** What lives and was launched for a run. */
  liveOf(run: string): string[] {
    return this.live.filter((id) => this.#members.get(id)?.run === run);
  }

  get ids(): string[] {
    return [...this.#members.keys()];
  }

  #keepCapacity(): void {
    if (this.#scheduler.nowMs < this.emptyUntilMs)
      return void this.#scheduler.after(5_000, () => this.#keepCapacity());
    for (let missing = this.desired - this.live.length; missing > 0; missing -= 1) this.#launch();
  }

  #launch(): void {
    this.#launched += 1;
    const member: Member = { id: `i-${this.#launched}`, run: this.run, phase: 'pending', decrements: 0 };
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
    const instances = [...this.#members.values()].map(({ id, phase, run }) => ({
      id,
      phase,
      run,
      ...PLAIN_INSTANCE,
      url: phase === 'running' ? this.url(id) : null,
    }));
    const atMs = this.#scheduler.nowMs;
    this.#views.push({ atMs, view: { desired: this.desired, instances, exact: false, ...PLAIN_FLEET } });
    if (this.#views.length > 200) this.#views.shift();
  }
}

/** The port to a virtual group, without any network between. */
export function fleetOf(group: VirtualGroup): Fleet {
  return {
    kind: 'local',
    observe: () => Promise.resolve(group.view(0)),
    setDesired: async (count) => group.setDesired(count),
    terminate: async (instance, { decrement }) => group.terminate(instance, decrement),
    close: () => Promise.resolve(),
  };
}
