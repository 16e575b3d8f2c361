import { describe, expect, it } from 'vitest';
import type { Clock } from '../../orchestrator/clock.ts';
import { emptyFleet } from '../../orchestrator/fleet/empty-fleet.ts';
import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';
import type { Fleet, FleetInstance, FleetView } from '../../orchestrator/fleet/fleet.ts';

describe('bringing a fleet to zero', () => {
  it('does not believe a first look that may be older than the last change', async () => {
    const fleet = new ScriptedFleet([view(0), view(2, 'i-1', 'i-2')]);
    expect(await emptyFleet(fleet, options({ quietMs: 8_000 }))).toEqual(['i-1', 'i-2']);
    expect(fleet.calls).toEqual(['desired 0', 'terminate i-1', 'terminate i-2']);
  });

  it('believes it where looks are exact', async () => {
    expect(await emptyFleet(new ScriptedFleet([view(0)]), options({}))).toEqual([]);
    expect(nowMs).toBe(0);
  });

  it('ends every other instance though the call for one is refused each time', async () => {
    const fleet = new ScriptedFleet([view(1, 'i-1', 'i-2')]);
    fleet.refuses = 'i-1';
    await expect(emptyFleet(fleet, options({ withinMs: 5_000 }))).rejects.toThrow(
      'not at zero after 5 s: i-1 is held',
    );
    expect(fleet.calls).toContain('terminate i-2');
  });
});

let nowMs = 0;

function options(more: { quietMs?: number; withinMs?: number }) {
  nowMs = 0;
  const clock: Clock = {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
  };
  return { clock, requireHeld: () => {}, signal: new AbortController().signal, ...more };
}

function view(desired: number, ...running: string[]): FleetView {
  const instances = running.map(
    (id): FleetInstance => ({ id, phase: 'running', run: 'run-1', ...PLAIN_INSTANCE, url: null }),
  );
  return { desired, instances, exact: false, ...PLAIN_FLEET };
}

/** Shows the views of a script, then the last of them less what was ended. */
class ScriptedFleet implements Fleet {
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
