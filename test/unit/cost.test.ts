import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import type { CommandContext } from '../../orchestrator/command/command.ts';
import { maxCostOf } from '../../orchestrator/command/max-cost.ts';
import { GROUP_BILLING } from '../../orchestrator/fleet/auto-scaling/billing.ts';
import { autoScaling } from '../../orchestrator/fleet/auto-scaling/kind.ts';
import { local } from '../../orchestrator/fleet/local/kind.ts';
import { UsageFault } from '../../orchestrator/errors.ts';
import { accountingOf, costOf, expectedCost, priceOf, secondsFor } from '../../orchestrator/plan/cost.ts';
import { NO_COUNTS } from '../../orchestrator/reconcile/counts.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyState } from '../../orchestrator/reconcile/state.ts';
import type { Progress } from '../../orchestrator/report/progress.ts';
import { progressLines } from '../../orchestrator/report/render.ts';
import { showSummary } from '../../orchestrator/report/summary.ts';
import { moneyWords } from '../../orchestrator/report/words.ts';
import type { SourceConnections } from '../../orchestrator/run/connections.ts';
import { resultOf, spentBy } from '../../orchestrator/run/result.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const PRICE = { perHour: 0.36, currency: 'EUR' };
const BILLED = { billing: GROUP_BILLING, price: PRICE };

describe('the cost of instances', () => {
  it('is their billed seconds times the hourly price, and the inverse gives the seconds for an amount', () => {
    expect(costOf({ seconds: 5_000, instances: 2, exact: true }, PRICE)).toEqual({
      amount: 0.5,
      currency: 'EUR',
      exact: true,
    });
    expect(secondsFor(0.5, PRICE)).toBe(5_000);
  });

  it('counts at least one minute for each instance', () => {
    expect(expectedCost(BILLED, 10, 5)).toEqual({ amount: 0.06, currency: 'EUR' });
    expect(expectedCost(BILLED, 10, 500)).toEqual({ amount: 0.5, currency: 'EUR' });
  });

  it('is unknown without an expected duration or without a price', () => {
    expect(expectedCost(BILLED, 10, null)).toBeNull();
    expect(expectedCost(null, 10, 500)).toBeNull();
  });

  test.each([
    [0, '0.00 EUR'],
    [0.00731, '0.0073 EUR'],
    [0.1, '0.10 EUR'],
    [1234.5, '1234.50 EUR'],
  ])('of %d EUR is written as %s', (amount, words) => {
    expect(moneyWords({ amount, currency: 'EUR' })).toBe(words);
  });
});

describe('the amount that a run has spent', () => {
  const launched: RunEvent[] = [
    { type: 'instance_launched', instance: 'i-1', at: '2026-01-01T00:00:00.000Z' },
    { type: 'instance_ended', instance: 'i-1', at: '2026-01-01T00:30:00.000Z', seen: true },
    { type: 'instance_launched', instance: 'i-2', at: '2026-01-01T00:10:00.000Z' },
    { type: 'instance_ended', instance: 'i-2', at: '2026-01-01T00:20:00.000Z', seen: false },
  ];
  const at = '2026-01-01T05:00:00.000Z';

  it('is given in seconds and in money, and says when it is only an upper bound', () => {
    expect(spentBy(applyEvents(emptyState(), launched), at, BILLED)).toEqual({
      instances: 2,
      instance_seconds: 2_400,
      cost: { amount: 0.24, currency: 'EUR', exact: false },
    });
  });

  it('is given in seconds alone when the settings have no price', () => {
    const spent = spentBy(applyEvents(emptyState(), launched), at, { ...BILLED, price: null });
    expect(spent).toEqual({ instances: 2, instance_seconds: 2_400, cost: null });
  });

  it('is unknown for local processes unless the settings have a price', () => {
    const backend = local.schema.parse({});
    const free = accountingOf({ price: null, backend });
    expect(spentBy(emptyState(), at, free)).toEqual({ instances: null, instance_seconds: null, cost: null });
    const paid = accountingOf({ price: { per_hour: 0.36, currency: 'EUR' }, backend });
    const second: RunEvent[] = [
      { type: 'instance_launched', instance: 'local-1', at: '2026-01-01T00:00:00.000Z' },
      { type: 'instance_ended', instance: 'local-1', at: '2026-01-01T00:00:10.000Z', seen: true },
    ];
    expect(spentBy(applyEvents(emptyState(), second), at, paid)).toEqual({
      instances: 1,
      instance_seconds: 10,
      cost: { amount: 0.001, currency: 'EUR', exact: true },
    });
  });

  it('is accounted for an Auto Scaling group even without a price', () => {
    const backend = autoScaling.schema.parse({ group: 'books', token_parameter: '/token' });
    expect(accountingOf({ price: null, backend })).toEqual({ billing: GROUP_BILLING, price: null });
  });
});

describe('the result of a run', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const REINDEXED = {
    counts: NO_COUNTS,
    documents_per_second: 0,
    workers: 1,
    boot_seconds: 2.5894097550000006,
  };
  const state = applyEvents(emptyState(), [
    IDENTITY,
    { type: 'phase_started', phase: 'reindex', at },
    { type: 'phase_finished', phase: 'reindex', at, record: REINDEXED },
  ]);

  it('has the boot time to a tenth of a second, or null when nothing booted', () => {
    expect(resultOf(state, at, null)).toMatchObject({ boot_seconds: 2.6 });
    expect(resultOf(applyEvents(emptyState(), [IDENTITY]), at, null)).toMatchObject({ boot_seconds: null });
  });

  it('shows the billed seconds and the cost to a person', async () => {
    const lines: string[] = [];
    const context = {
      reporter: { note: (line: string) => lines.push(line) },
      offline: { settings: { report: { example_query: null } } },
    } as unknown as CommandContext;
    const cost = { amount: 0.024, currency: 'EUR', exact: true };
    const result = { ...resultOf(state, at, null), instances: 4, instance_seconds: 240, cost };
    await showSummary(context, { ...state, result }, { services: null } as unknown as SourceConnections);
    expect(lines).toContain('cost   0.0240 EUR for 4 instances, 4 min 00 s billed together');
  });
});

describe('the maximum cost of a run', () => {
  const asked = (flag: string | undefined, variable: string | undefined, price: number | null = 0.36) => {
    const written = price === null ? null : { per_hour: price, currency: 'EUR' };
    const settings = { price: written, file: 'settings.yaml' };
    const offline = { settings, environment: { REINDEX_MAX_COST: variable } };
    const flags = flag === undefined ? {} : { maxCost: flag };
    return (command: string) => maxCostOf({ offline, flags } as unknown as CommandContext, command);
  };

  it('comes from the flag before the environment, only for commands that launch instances', () => {
    expect(asked('12.5', '3')('run')).toBe(12.5);
    expect(asked(undefined, '3')('reindex')).toBe(3);
    expect(asked(undefined, '3')('validate')).toBe(3);
    expect(asked(undefined, '3')('promote')).toBeNull();
    expect(asked(undefined, '')('run')).toBeNull();
    expect(asked(undefined, undefined)('run')).toBeNull();
  });

  test.each(['0', '-1', '', 'much', 'Infinity', '1e9', '0x10', '1,5', ' 3'])(
    'is refused when it is "%s"',
    (amount) => {
      expect(() => asked(amount, undefined)('run')).toThrow(
        new UsageFault('--max-cost must be an amount of money above 0, e.g. 12.50'),
      );
    },
  );

  it('is refused when the settings have no price', () => {
    expect(() => asked(undefined, '3', null)('run')).toThrow(
      'REINDEX_MAX_COST needs to know what an instance costs: set price.per_hour in settings.yaml',
    );
    expect(priceOf({ price: null })).toBeNull();
  });
});

describe('the live display', () => {
  const progress: Progress = {
    pass: 1,
    counts: { ...NO_COUNTS, rowsRead: 64_153, retries: 12 },
    rowsExpected: 171_075,
    ranges: { done: 6, total: 16 },
    workers: { working: 8, idle: 1, starting: 2 },
    waitingFor: [],
    cost: { amount: 12.345, currency: 'USD', exact: true },
    estimate: { rowsPerSecond: 109_460, secondsLeft: 4_000 },
  };
  const shown = (columns: number, more: Partial<Progress> = {}) =>
    progressLines({ ...progress, ...more }, columns).map(stripVTControlCharacters);

  it('shows the cost so far, on a line of its own when the terminal is narrow', () => {
    expect(shown(120).at(-1)).toBe(
      '    109,460 documents/s · ETA 1 h 06 min · 8 workers (1 idle, 2 starting) · 12 retries · 0 dead letters · 12.35 USD',
    );
    expect(shown(80).slice(1)).toEqual([
      '    109,460 documents/s · ETA 1 h 06 min · 8 workers (1 idle, 2 starting)',
      '    12 retries · 0 dead letters · 12.35 USD',
    ]);
    expect(shown(120, { cost: null }).at(-1)).toMatch(/dead letters$/);
  });

  it('never writes a line longer than the width of the terminal', () => {
    for (let columns = 60; columns < 160; columns += 1)
      for (const line of shown(columns).slice(1)) expect(line.length).toBeLessThanOrEqual(columns);
  });
});
