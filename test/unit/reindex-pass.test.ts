import { describe, expect, it } from 'vitest';
import type { Clock } from '../../orchestrator/clock.ts';
import { RunFailed, Throttled } from '../../orchestrator/errors.ts';
import { PLAIN_FLEET, PLAIN_INSTANCE } from '../../orchestrator/reconcile/observation.ts';
import type { Fleet, FleetInstance } from '../../orchestrator/fleet/fleet.ts';
import type { WorkerCalls } from '../../orchestrator/fleet/worker-client.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { Limits } from '../../orchestrator/reconcile/tick.ts';
import { runPass } from '../../orchestrator/run/reindex-pass.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TEST_LIMITS } from '../support/virtual-world.ts';
import { mainPass } from '../support/run-values.ts';

describe('the calls of a pass to its fleet', () => {
  it('set the desired capacity before they end an instance, which would otherwise be replaced', async () => {
    const fleet = new Group(2, ['i-1', 'i-2']);
    await passOver(fleet, STOPPED);
    expect(fleet.calls).toEqual(['desired 0', 'terminate i-1', 'terminate i-2']);
    expect(fleet.launched).toBe(0);
  });

  it('are repeated at the next tick after throttling, and no further calls are made before', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `i-${i + 1}`);
    const fleet = new Group(100, ids);
    fleet.allowed = 61;
    await passOver(fleet, STOPPED);
    expect(fleet.calls.slice(0, 61)).toEqual([
      'desired 0',
      ...ids.slice(0, 60).map((id) => `terminate ${id}`),
    ]);
    expect(fleet.refused).toBeGreaterThan(0);
    expect(fleet.refused).toBeLessThanOrEqual(40);
    expect(fleet.calls.filter((call) => call.startsWith('terminate')).sort()).toEqual(
      ids.map((id) => `terminate ${id}`).sort(),
    );
    expect(fleet.looks).toBe(3);
    expect(fleet.launched).toBe(0);
  });

  it('end no instance while setting the desired capacity is throttled', async () => {
    const fleet = new Group(2, ['i-1', 'i-2']);
    fleet.allowed = 0;
    await passOver(fleet, STOPPED);
    expect(fleet.refused).toBe(1);
    expect(fleet.calls).toEqual(['desired 0', 'terminate i-1', 'terminate i-2']);
    expect(fleet.looks).toBe(3);
    expect(fleet.launched).toBe(0);
  });

  it('end no instance while the fleet refuses a desired capacity of zero', async () => {
    const fleet = new Group(2, ['i-1', 'i-2']);
    fleet.refuses = 'desired 0';
    await expect(passOver(fleet, STOPPED)).rejects.toThrow(
      /calls to the fleet \(set the desired capacity\) have failed for \d+ s, last: not authorized/,
    );
    expect(fleet.launched).toBe(0);
  });

  it('end the pass when one of them is refused for long, even if the fleet can be seen', async () => {
    const fleet = new Group(1, ['i-1']);
    fleet.refuses = 'terminate i-1';
    await expect(passOver(fleet, STOPPED)).rejects.toThrow(
      /calls to the fleet \(terminate i-1\) have failed for \d+ s, last: not authorized/,
    );
  });
});

describe('a pass whose fleet cannot be observed', () => {
  it.each([
    ['is throttled', new Throttled('Rate exceeded')],
    ['is refused', new RunFailed('not authorized')],
  ])(
    'because the look %s still calls its workers, so that their leases do not run out',
    async (_, failure) => {
      const fleet = new Group(2, ['i-1', 'i-2']);
      fleet.blind = { looks: 100, failure };
      const called: string[] = [];
      await passOver(fleet, STOPPED, { onHealth: (url) => void called.push(url) });
      for (const url of ['http://i-1', 'http://i-2'])
        expect(called.filter((one) => one === url).length).toBeGreaterThan(100);
    },
  );
});

describe('failing calls to a fleet', () => {
  async function toldOf(looks: number): Promise<string[]> {
    const fleet = new Group(1, ['i-1']);
    fleet.blind = { looks, failure: new RunFailed('the AWS credentials have expired: renew them') };
    const told: string[] = [];
    await passOver(fleet, STOPPED, { onTrouble: (sentence) => void told.push(sentence) });
    return told;
  }

  it('are reported after some seconds, and again when they succeed', async () => {
    expect(await toldOf(30)).toEqual([
      'calls to the fleet fail (describe): the AWS credentials have expired: renew them',
      'calls to the fleet (describe) succeed again',
    ]);
  });

  it('are not reported when only one or two fail', async () => {
    expect(await toldOf(2)).toEqual([]);
  });
});

const STOPPED: RunEvent = { type: 'stopped', reason: 'too many dead letters' };

const LIMITS: Limits = { ...TEST_LIMITS, workers: 2, waitingTimeoutMs: 300_000 };

const MOST_MS = 3_600_000;

interface Watcher {
  readonly onHealth?: (url: string) => void;
  readonly onTrouble?: (sentence: string) => void;
}

/** A pass over one range of a run of which `event` was recorded, in virtual time. */
async function passOver(
  fleet: Fleet,
  event: RunEvent,
  { onHealth = () => {}, onTrouble = () => {} }: Watcher = {},
): Promise<void> {
  let nowMs = 0;
  const clock: Clock = {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      if (nowMs > MOST_MS) throw new Error('the pass goes on for ever');
    },
  };
  const journal = await RunJournal.open({
    store: new MemoryStore(),
    runFolder: 'runs/test',
    epoch: 1,
    requireHeld: () => {},
    now: () => clock.now(),
  });
  const range = { number: '1', start: null, end: null, rows: 1, bytes: 1 };
  await journal.append([
    { type: 'planned', keyKind: 'integer', ranges: [range], bounds: null },
    { type: 'pass_opened', pass: mainPass() },
    event,
  ]);
  await runPass({
    journal,
    fleet,
    workers: {
      ...NOBODY,
      health: (url) => {
        onHealth(url);
        return refused();
      },
    },
    limits: LIMITS,
    taskOf: () => expect.unreachable('no worker is ready'),
    pauseMs: () => 1_000,
    outlivesProcess: false,
    clock,
    requireHeld: () => {},
    onTrouble,
    onBlind: () => {},
    onTick: () => {},
    signal: new AbortController().signal,
  });
}

const refused = () => Promise.reject(new Error('ECONNREFUSED'));
const NOBODY: WorkerCalls = {
  health: refused,
  task: refused,
  tasks: refused,
  post: refused,
  cut: refused,
  cancel: refused,
  drain: refused,
};

/** Replaces what ends while less is there than desired; a call to change the capacity takes a while. */
class Group implements Fleet {
  readonly calls: string[] = [];
  launched = 0;
  refuses: string | null = null;
  /** Calls that change something until the next look; then as many as there are. */
  allowed = Number.POSITIVE_INFINITY;
  refused = 0;
  looks = 0;
  /** So many looks fail, behind the first. */
  blind = { looks: 0, failure: new Error('') };
  #desired: number;
  readonly #running: Set<string>;

  constructor(desired: number, running: readonly string[]) {
    this.#desired = desired;
    this.#running = new Set(running);
  }

  async observe() {
    this.looks += 1;
    if (this.looks > 1 && this.looks <= 1 + this.blind.looks) throw this.blind.failure;
    if (this.refused > 0) this.allowed = Number.POSITIVE_INFINITY;
    const instances = [...this.#running].map(
      (id): FleetInstance => ({ id, phase: 'running', run: null, ...PLAIN_INSTANCE, url: `http://${id}` }),
    );
    return { desired: this.#desired, exact: true, ...PLAIN_FLEET, instances };
  }

  async setDesired(count: number): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    if (`desired ${count}` === this.refuses) throw new RunFailed('not authorized');
    this.#take();
    this.calls.push(`desired ${count}`);
    this.#desired = count;
  }

  async terminate(instance: string): Promise<void> {
    if (`terminate ${instance}` === this.refuses) throw new Error('not authorized');
    this.#take();
    await Promise.resolve();
    this.calls.push(`terminate ${instance}`);
    this.#running.delete(instance);
    if (this.#running.size >= this.#desired) return;
    this.launched += 1;
    this.#running.add(`new-${this.launched}`);
  }

  async close(): Promise<void> {}

  #take(): void {
    this.allowed -= 1;
    if (this.allowed >= 0) return;
    this.refused += 1;
    throw new Throttled('Rate exceeded');
  }
}
