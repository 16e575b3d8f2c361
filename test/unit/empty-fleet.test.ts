import { describe, expect, it } from 'vitest';
import type { Clock } from '../../orchestrator/clock.ts';
import { emptyFleet } from '../../orchestrator/fleet/empty-fleet.ts';
import type { FleetView } from '../../orchestrator/fleet/fleet.ts';
import { ScriptedFleet, view } from '../support/scripted-fleet.ts';

describe('bringing a fleet to zero', () => {
  it('does not trust a first look of zero that may be older than the last change', async () => {
    const fleet = new ScriptedFleet([view(0), view(2, 'i-1', 'i-2')]);
    const { found } = await emptyFleet(fleet, options({ quietMs: 8_000 }));
    expect(found.map(({ id }) => id)).toEqual(['i-1', 'i-2']);
    expect(fleet.calls).toEqual(['desired 0', 'terminate i-1', 'terminate i-2']);
  });

  it('trusts a first look of zero when looks are exact', async () => {
    expect(await emptyFleet(new ScriptedFleet([view(0)]), options({}))).toEqual({ found: [], gone: [] });
    expect(nowMs).toBe(0);
  });

  it('terminates an instance only once when a stale look still shows it alive', async () => {
    const fleet = new StaleFleet();
    await emptyFleet(fleet, options({}));
    expect(fleet.calls.filter((call) => call === 'terminate i-1')).toHaveLength(1);
  });

  it('terminates every other instance when the call for one of them is always refused', async () => {
    const fleet = new ScriptedFleet([view(1, 'i-1', 'i-2')]);
    fleet.refuses = 'i-1';
    await expect(emptyFleet(fleet, options({ withinMs: 5_000 }))).rejects.toThrow(
      'not at zero after 5 s: i-1 is held',
    );
    expect(fleet.calls).toContain('terminate i-2');
  });
});

/** Its looks show an instance for three seconds more. */
class StaleFleet extends ScriptedFleet {
  constructor() {
    super([view(1, 'i-1')]);
  }

  override async observe(): Promise<FleetView> {
    return nowMs < 3_000 ? view(0, 'i-1') : view(0);
  }
}

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
