import type { FleetBackend, FleetPass, PassWorkers } from '../../orchestrator/fleet/fleet-backend.ts';
import type { Fleet, FleetInstance, FleetView } from '../../orchestrator/fleet/fleet.ts';
import type { WorkerCalls } from '../../orchestrator/fleet/worker-client.ts';

/**
 * Local workers that live on unseen after the fleet was told to end them. The fleet says that they are gone, as a cloud does for
 * a machine whose network is cut. Only they themselves can end.
 */
export class WithheldKill {
  /** By id, the workers that were told to end and live on. */
  readonly unseen = new Map<string, FleetInstance>();
  /** As last seen. */
  instances: readonly FleetInstance[] = [];
  #calls: WorkerCalls | null = null;
  #reallyClose: (() => Promise<void>)[] = [];
  /** Which workers' kill is withheld. */
  readonly #withheld: (id: string) => boolean;

  constructor(withheld: (id: string) => boolean) {
    this.#withheld = withheld;
  }

  /** The workers of a pass of `backend`. */
  async open(backend: FleetBackend, pass: FleetPass): Promise<PassWorkers> {
    const workers = await backend.open(pass);
    this.#calls ??= workers.calls;
    this.#reallyClose.push(workers.close);
    // Not closed with the pass: closing ends every worker.
    return { ...workers, fleet: this.#fleet(workers.fleet), close: () => workers.fleet.setDesired(0) };
  }

  /** Calls as the orchestrator of the first pass would make them. */
  get calls(): WorkerCalls {
    if (this.#calls === null) throw new Error('no workers were opened yet');
    return this.#calls;
  }

  async close(): Promise<void> {
    await Promise.all(this.#reallyClose.map((close) => close()));
  }

  #fleet(fleet: Fleet): Fleet {
    return {
      observe: async () => this.#view(await fleet.observe()),
      setDesired: (count) => fleet.setDesired(count + this.unseen.size),
      terminate: async (id, options) => {
        if (!this.#withheld(id)) return fleet.terminate(id, options);
        const { desired, instances } = await fleet.observe();
        const instance = instances.find((candidate) => candidate.id === id);
        if (instance === undefined || this.unseen.has(id)) return;
        this.unseen.set(id, instance);
        // Another is launched in its place, unless with decrement.
        await fleet.setDesired(desired + (options.decrement ? 0 : 1));
      },
      close: () => fleet.close(),
    };
  }

  #view({ desired, instances, ...view }: FleetView): FleetView {
    this.instances = instances;
    const seen = instances.map((instance) =>
      this.unseen.has(instance.id) ? { ...instance, phase: 'gone' as const, url: null } : instance,
    );
    return { desired: desired - this.unseen.size, instances: seen, ...view };
  }
}
