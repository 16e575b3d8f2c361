import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notices } from '../../worker/instance/notices.ts';
import { scheduleWithTimers } from '../../worker/schedule.ts';

const INTERRUPTION = 'spot/instance-action';
const REBALANCE = 'events/recommendations/rebalance';
const START = Date.parse('2026-01-01T00:00:00Z');

function setUp() {
  const texts = new Map<string, string>();
  const steps: string[] = [];
  const state = { reachable: true, looks: 0 };
  const notices = new Notices({
    metadata: {
      read: async (path) => {
        state.looks++;
        if (!state.reachable) throw new Error('unreachable');
        return texts.get(path) ?? null;
      },
    },
    intervalMs: 5_000,
    marginMs: 20_000,
    schedule: scheduleWithTimers,
    now: Date.now,
    drain: (why) => steps.push(`drain: ${why}`),
    handBackWaiting: () => steps.push('waiting'),
    handBackRunning: () => steps.push(`running at ${Date.now() - START}`),
    onError: () => steps.push('error'),
  });
  return { texts, steps, state, notices };
}

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

describe('the notices of EC2', () => {
  it('are looked for from the beginning, and cause nothing while there are none', async () => {
    const { steps, state } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.looks).toBe(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([steps, state.looks]).toEqual([[], 26]);
  });

  it('of an interruption drain the worker, hand back its waiting task, and later its running task', async () => {
    const { texts, steps } = setUp();
    await vi.advanceTimersByTimeAsync(1_000);
    texts.set(INTERRUPTION, '{"action": "terminate", "time": "2026-01-01T00:02:00Z"}');
    await vi.advanceTimersByTimeAsync(98_999);
    expect(steps).toEqual([expect.stringMatching(/^drain: .*\(terminate\).*2026-01-01T00:02/), 'waiting']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(steps.slice(2)).toEqual(['running at 100000']);
  });

  it('of an interruption within the margin hand back all tasks at once', async () => {
    const { texts, steps } = setUp();
    texts.set(INTERRUPTION, '{"action": "stop", "time": "2026-01-01T00:00:10Z"}');
    await vi.advanceTimersByTimeAsync(5);
    expect(steps.slice(1)).toEqual(['waiting', expect.stringMatching(/^running at \d$/)]);
  });

  it.each(['no JSON', '{"action": "terminate"}', '{"action": "terminate", "time": "soon"}'])(
    'of an interruption without a readable time count two minutes: %s',
    async (text) => {
      const { texts, steps } = setUp();
      texts.set(INTERRUPTION, text);
      await vi.advanceTimersByTimeAsync(120_000);
      expect(steps).toEqual([expect.stringContaining('drain'), 'waiting', 'running at 100000']);
    },
  );

  it('of a rebalance drain the worker once, and an interruption may follow', async () => {
    const { texts, steps } = setUp();
    texts.set(REBALANCE, '{"noticeTime": "2026-01-01T00:00:00Z"}');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(steps).toEqual([expect.stringContaining('rebalance')]);
    texts.set(INTERRUPTION, '{"action": "hibernate", "time": "2026-01-01T00:02:00Z"}');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(steps.slice(1)).toEqual(['waiting', 'running at 100000']);
  });

  it('are reported once when they cannot be read, and are looked for again', async () => {
    const { texts, steps, state } = setUp();
    state.reachable = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(steps).toEqual(['error']);
    state.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    state.reachable = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(steps).toEqual(['error', 'error']);
    state.reachable = true;
    texts.set(REBALANCE, '{}');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(steps[2]).toContain('drain');
  });

  it('cause nothing after the end', async () => {
    const { texts, steps, notices } = setUp();
    texts.set(INTERRUPTION, '{"action": "terminate", "time": "2026-01-01T00:02:00Z"}');
    await vi.advanceTimersByTimeAsync(10_000);
    notices.end();
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(steps).toEqual([expect.stringContaining('drain'), 'waiting']);
  });
});
