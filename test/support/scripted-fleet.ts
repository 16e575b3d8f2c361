import type { Fleet, FleetInstance, FleetView } from '../../orchestrator/fleet/fleet.ts';
import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';

/** A look at a fleet that may be stale. */
export function view(desired: number, ...running: string[]): FleetView {
  const instances = running.map(
    (id): FleetInstance => ({ id, phase: 'running', run: 'run-1', ...PLAIN_INSTANCE, url: null }),
  );
  return { desired, instances, exact: false, ...PLAIN_FLEET };
}

/** Shows the views of a script. After the script it shows the last view without the ended instances. */
export class ScriptedFleet implements Fleet {
  readonly kind = 'local';
  readonly calls: string[] = [];
  refuses: string | null = null;
  readonly #script: FleetView[];
  #desired: number | null = null;
  readonly #ended = new Set<string>();

  constructor(script: readonly FleetView[]) {
    this.#script = [...script];
  }

  async observe(): Promise<FleetView> {
    const [seen = view(0)] = this.#script;
    if (this.#script.length > 1) this.#script.shift();
    const instances = seen.instances.filter(({ id }) => !this.#ended.has(id));
    return { ...seen, desired: this.#desired ?? seen.desired, instances };
  }

  async setDesired(count: number): Promise<void> {
    this.calls.push(`desired ${count}`);
    this.#desired = count;
  }

  async terminate(instance: string): Promise<void> {
    if (instance === this.refuses) throw new Error(`${instance} is held`);
    this.calls.push(`terminate ${instance}`);
    this.#ended.add(instance);
  }

  async close(): Promise<void> {}
}
