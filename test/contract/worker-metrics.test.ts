import parsePrometheus from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { CONTRACT_VERSION } from '../../worker/contract.ts';
import { TaskFailure } from '../../worker/task-failure.ts';
import {
  call,
  HOLDER,
  post,
  taskRequest,
  testServices,
  type TestService,
} from '../support/worker-service.ts';

const serve = testServices();

interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: ReadonlyMap<string, number>;
}

/** By name, as a parser reads the answer; samples by their labels' values, joined by a blank. */
async function metricsOf(s: TestService, headers: Record<string, string> = {}): Promise<Map<string, Family>> {
  const { status, headers: answered, text } = await call(s, 'GET', '/metrics', headers);
  expect([status, answered.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  return new Map(
    parsePrometheus(text).map(({ name, help, type, metrics }) => [
      name,
      {
        help,
        type,
        samples: new Map(
          metrics.map(({ labels, value }) => [Object.values(labels ?? {}).join(' '), Number(value)]),
        ),
      },
    ]),
  );
}

function samplesOf(metrics: ReadonlyMap<string, Family>, name: string): Record<string, number> {
  return Object.fromEntries(metrics.get(`reindex_worker_${name}`)?.samples ?? []);
}

const FIGURES = {
  settledThrough: 49n,
  firstKey: 0n,
  counts: {
    rowsRead: 50,
    filtered: 1,
    targets: [{ indexed: 40, superseded: 5, filtered: 1, deadLetters: 4 }],
  },
  bytesSent: 9_000,
  retries: 2,
  waitingFor: 'cluster',
} as const;

describe('GET /metrics', () => {
  it('counts rows, their outcomes by index, bytes and retries of the running task', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const [run] = s.runs;
    if (run === undefined) throw new Error('no run');
    run.figures = FIGURES;
    run.inFlight = { bytes: 300, limitBytes: 400, ceilingBytes: 500 };
    s.leaseLeftMs = 12_500;
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    const metrics = await metricsOf(s);
    expect(samplesOf(metrics, 'rows_read_total')).toEqual({ '': 50 });
    expect(samplesOf(metrics, 'row_outcomes_total')).toEqual({
      'cities-1 indexed': 40,
      'cities-1 superseded': 5,
      'cities-1 filtered': 1,
      'cities-1 dead_letter': 4,
    });
    expect(samplesOf(metrics, 'sent_bytes_total')).toEqual({ '': 9_000 });
    expect(samplesOf(metrics, 'retries_total')).toEqual({ '': 2 });
    expect(samplesOf(metrics, 'active_tasks')).toEqual({ running: 1, queued: 1 });
    expect(samplesOf(metrics, 'waiting')).toEqual({ database: 0, cluster: 1 });
    expect(samplesOf(metrics, 'in_flight_bytes')).toEqual({ '': 300 });
    expect(samplesOf(metrics, 'in_flight_limit_bytes')).toEqual({ '': 400 });
    expect(samplesOf(metrics, 'in_flight_ceiling_bytes')).toEqual({ '': 500 });
    expect(samplesOf(metrics, 'lease_remaining_seconds')).toEqual({ '': 12.5 });
    expect(samplesOf(metrics, 'build_info')).toEqual({ [`worker-1 build-1 ${CONTRACT_VERSION}`]: 1 });
  });

  it('never falls: what ended, failed or was cancelled stays counted beside what runs', async () => {
    const s = await serve();
    await post(s, taskRequest());
    const [first] = s.runs;
    if (first === undefined) throw new Error('no run');
    first.figures = FIGURES;
    first.fail(new TaskFailure('retry', 'a_reason', 'it cannot be'));
    await expect.poll(() => s.tasks.activeRun).toBeNull();
    await post(s, taskRequest({ task_id: 'task-2', range_id: 'range-2' }));
    const [, second] = s.runs;
    if (second === undefined) throw new Error('no second run');
    second.figures = { ...FIGURES, waitingFor: null };
    const metrics = await metricsOf(s);
    expect(samplesOf(metrics, 'rows_read_total')).toEqual({ '': 100 });
    expect(samplesOf(metrics, 'row_outcomes_total')).toMatchObject({ 'cities-1 indexed': 80 });
    await call(s, 'DELETE', '/task/task-2');
    const after = await metricsOf(s);
    expect(samplesOf(after, 'rows_read_total')).toEqual({ '': 100 });
    expect(samplesOf(after, 'active_tasks')).toEqual({ running: 0, queued: 0 });
    expect(samplesOf(after, 'waiting')).toEqual({ database: 0, cluster: 0 });
  });

  it('says whether the worker drains, and of its process what every Node process says', async () => {
    const s = await serve();
    expect(samplesOf(await metricsOf(s), 'draining')).toEqual({ '': 0 });
    await call(s, 'POST', '/drain');
    const metrics = await metricsOf(s);
    expect(samplesOf(metrics, 'draining')).toEqual({ '': 1 });
    expect(metrics.get('process_resident_memory_bytes')?.samples.get('')).toBeGreaterThan(1_000_000);
    expect([...metrics.keys()]).toContain('process_cpu_seconds_total');
  });

  it('names its metrics by the conventions of Prometheus, each with a sentence of help', async () => {
    const metrics = await metricsOf(await serve());
    const own = [...metrics].filter(([name]) => name.startsWith('reindex_worker_'));
    expect(own).toHaveLength(12);
    for (const [name, { help, type }] of own) {
      expect([name, help]).toEqual([
        name,
        expect.stringMatching(/^[A-Z].+[^.:]\.$|^[A-Z].+: .+\.$|^[A-Z].+, else 0\.$/),
      ]);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'COUNTER']);
    }
  });

  it('wants the token, and renews the lease for the orchestrator alone', async () => {
    const s = await serve({ token: 'a-long-enough-token' });
    expect((await call(s, 'GET', '/metrics')).status).toBe(401);
    const authorization = 'Bearer a-long-enough-token';
    await metricsOf(s, { authorization });
    expect(s.renewals).toBe(0);
    await metricsOf(s, { ...HOLDER, authorization });
    expect(s.renewals).toBe(1);
  });
});
