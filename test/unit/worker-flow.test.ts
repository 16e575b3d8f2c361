import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, retryAfterMs } from '../../worker/backoff.ts';
import { Flow, type FlowSettings } from '../../worker/targets/bulk/flow.ts';

const SETTINGS: FlowSettings = {
  startBytes: 400,
  floorBytes: 50,
  ceilingBytes: 1_000,
  stepBytes: 100,
  coolDownMs: 30_000,
};

/** Fills the flow with requests of this size until it holds one back, and gives their number. */
function fill(flow: Flow, bytes: number, nowMs: number): number {
  let sent = 0;
  for (; flow.mayEnter(bytes, nowMs); sent++) flow.enter(bytes);
  return sent;
}

/** Round trips of 100 ms in which everything that fits is sent and acknowledged. */
function roundTrips(flow: Flow, count: number, bytes: number, startMs = 0): number {
  let now = startMs;
  for (let trip = 0; trip < count; trip++) {
    const sent = fill(flow, bytes, now);
    now += 100;
    for (let i = 0; i < sent; i++) {
      // The senders that are still held back ask again.
      flow.mayEnter(2 * flow.limitBytes, now);
      flow.acknowledge(bytes, now);
    }
  }
  return now;
}

describe('flow control of a worker', () => {
  it('admits requests that fit into the limit, and a single one however large', () => {
    const flow = new Flow(SETTINGS);
    expect(flow.mayEnter(5_000, 0)).toBe(true);
    expect(fill(flow, 100, 0)).toBe(4);
    expect(flow.mayEnter(1, 0)).toBe(false);
  });

  it('grows while senders are held back and throughput rises, up to the ceiling', () => {
    const flow = new Flow(SETTINGS);
    roundTrips(flow, 60, 50);
    expect(flow.limitBytes).toBe(1_000);
  });

  it('does not grow while no sender is held back', () => {
    const flow = new Flow(SETTINGS);
    for (let now = 0; now < 10_000; now += 100) {
      expect(flow.mayEnter(100, now)).toBe(true);
      flow.enter(100);
      flow.acknowledge(100, now + 50);
    }
    expect(flow.limitBytes).toBe(400);
  });

  it('holds the limit when growth brings no throughput, and tries again later', () => {
    const flow = new Flow({ ...SETTINGS, ceilingBytes: 1_000_000 });
    // A cluster that takes 100 bytes in 100 ms, however many are offered.
    const steady = (fromMs: number, untilMs: number): void => {
      for (let now = fromMs; now < untilMs; now += 100) {
        fill(flow, 100, now);
        flow.acknowledge(100, now + 99);
      }
    };
    steady(0, 4_000);
    const held = flow.limitBytes;
    steady(4_000, 11_000);
    expect(flow.limitBytes).toBe(held);
    steady(11_000, 14_000);
    expect(flow.limitBytes).toBeGreaterThan(held);
  });

  it('halves the limit on a refusal, at most once per round trip', () => {
    const flow = new Flow(SETTINGS);
    expect(fill(flow, 100, 0)).toBe(4);
    flow.refuse(100, 0, 10);
    expect(flow.limitBytes).toBe(200);
    flow.refuse(100, 0, 12);
    flow.refuse(100, 5, 14);
    expect(flow.limitBytes).toBe(200);
    flow.refuse(100, 11, 20);
    expect(flow.limitBytes).toBe(100);
  });

  it('never falls below the floor, and a ceiling below the floor wins', () => {
    const flow = new Flow({ ...SETTINGS, ceilingBytes: 30 });
    expect(flow.limitBytes).toBe(30);
    for (let now = 1; now < 20; now++) {
      flow.enter(10);
      flow.refuse(10, now, now);
    }
    expect(flow.limitBytes).toBe(30);
  });

  it('counts the bytes of a timed-out request as in flight until its cool-down is over', () => {
    const flow = new Flow(SETTINGS);
    flow.enter(300);
    flow.timeOut(300, 0, 60_000);
    expect(flow.limitBytes).toBe(200);
    expect(flow.inFlightBytes).toBe(300);
    expect(flow.nextThawMs).toBe(90_000);
    expect(flow.mayEnter(10, 89_999)).toBe(false);
    expect(flow.mayEnter(10, 90_000)).toBe(true);
    expect(flow.inFlightBytes).toBe(0);
  });

  it('keeps the limit when a request says nothing about the load', () => {
    const flow = new Flow(SETTINGS);
    fill(flow, 100, 0);
    for (let i = 0; i < 4; i++) flow.release(100);
    expect([flow.limitBytes, flow.inFlightBytes]).toEqual([400, 0]);
  });

  it('keeps its limit within bounds and its account exact, whatever happens', () => {
    const event = fc.record({
      kind: fc.constantFrom('acknowledge', 'refuse', 'timeOut', 'release'),
      bytes: fc.integer({ min: 1, max: 500 }),
      afterMs: fc.integer({ min: 0, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const flow = new Flow(SETTINGS);
        let now = 0;
        for (const { kind, bytes, afterMs } of events) {
          now += afterMs;
          if (!flow.mayEnter(bytes, now)) continue;
          flow.enter(bytes);
          if (kind === 'acknowledge') flow.acknowledge(bytes, now);
          else if (kind === 'refuse') flow.refuse(bytes, now, now);
          else if (kind === 'timeOut') flow.timeOut(bytes, now, now);
          else flow.release(bytes);
          expect(flow.limitBytes).toBeGreaterThanOrEqual(SETTINGS.floorBytes);
          expect(flow.limitBytes).toBeLessThanOrEqual(SETTINGS.ceilingBytes);
        }
        flow.mayEnter(1, now + SETTINGS.coolDownMs);
        expect(flow.inFlightBytes).toBe(0);
      }),
    );
  });
});

describe('the back-off after failures', () => {
  it('doubles up to ten seconds, half of it at random', () => {
    expect([1, 2, 3, 8, 100].map((failures) => backoffMs(failures, 0))).toEqual([50, 100, 200, 5_000, 5_000]);
    expect(backoffMs(3, 0.5)).toBe(300);
  });
});

describe('the Retry-After header', () => {
  it.each([
    ['7', 7_000],
    ['0', 0],
    ['86400', 60_000],
    ['Thu, 01 Jan 1970 00:00:30 GMT', 20_000],
    ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
    ['soon', null],
    ['', null],
  ])('with the value %j means %s milliseconds', (header, expected) => {
    expect(retryAfterMs(header, 10_000)).toBe(expected);
  });
  it('means null when it is absent', () => expect(retryAfterMs(undefined, 0)).toBeNull());
});
