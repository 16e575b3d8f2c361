import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { CONTRACT_VERSION, type Dependency } from './contract.ts';
import type { Draining } from './draining.ts';
import type { TaskRegister } from './tasks.ts';

export interface MetricsSource {
  readonly workerId: string;
  readonly build: string;
  readonly tasks: Pick<TaskRegister, 'active' | 'totals' | 'inFlight'>;
  readonly draining: Pick<Draining, 'begun'>;
  /** Milliseconds until the lease is over. */
  readonly leaseLeftMs: () => number;
}

const PREFIX = 'reindex_worker_';
const DEPENDENCIES: readonly Dependency[] = ['database', 'cluster'];

/**
 * The worker's metrics for Prometheus, with those of its process. Each is read when it is asked for, from what the worker
 * counts anyway: the data path does nothing for them. Units and names follow
 * https://prometheus.io/docs/practices/naming.
 */
export function workerMetrics(source: MetricsSource): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addCounters(registry, source);
  addTaskGauges(registry, source);
  addFlowGauges(registry, source);
  addWorkerGauges(registry, source);
  return registry;
}

function addCounters(registry: Registry, { tasks }: MetricsSource): void {
  count(
    registry,
    'rows_read_total',
    'Rows that were read and are settled in every target.',
    () => tasks.totals.rowsRead,
  );
  count(
    registry,
    'sent_bytes_total',
    'Bytes that were sent to targets, repeated ones among them.',
    () => tasks.totals.bytesSent,
  );
  count(registry, 'retries_total', 'Requests to targets that were sent again.', () => tasks.totals.retries);
  registry.registerMetric(
    new Counter({
      name: `${PREFIX}row_outcomes_total`,
      help: 'What became of settled rows in each index: indexed, superseded, filtered or dead_letter.',
      labelNames: ['index', 'outcome'],
      registers: [],
      collect() {
        this.reset();
        for (const [index, { indexed, superseded, filtered, dead_letters }] of tasks.totals.targets) {
          this.inc({ index, outcome: 'indexed' }, indexed);
          this.inc({ index, outcome: 'superseded' }, superseded);
          this.inc({ index, outcome: 'filtered' }, filtered);
          this.inc({ index, outcome: 'dead_letter' }, dead_letters);
        }
      },
    }),
  );
}

function addTaskGauges(registry: Registry, { tasks }: MetricsSource): void {
  registry.registerMetric(
    new Gauge({
      name: `${PREFIX}active_tasks`,
      help: 'Tasks that are not over: the one that runs, and the one that waits in the queue.',
      labelNames: ['state'],
      registers: [],
      collect() {
        const [running, ...queued] = tasks.active;
        this.set({ state: 'running' }, running === undefined ? 0 : 1);
        this.set({ state: 'queued' }, queued.length);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: `${PREFIX}waiting`,
      help: 'Whether the running task waits for this dependency: 1 while it does, else 0.',
      labelNames: ['dependency'],
      registers: [],
      collect() {
        const waitingFor = tasks.active[0]?.waiting_for ?? null;
        for (const dependency of DEPENDENCIES) this.set({ dependency }, waitingFor === dependency ? 1 : 0);
      },
    }),
  );
}

function addFlowGauges(registry: Registry, { tasks }: MetricsSource): void {
  gauge(
    registry,
    'in_flight_bytes',
    'Bytes that are on their way to targets and have no answer yet.',
    () => tasks.inFlight.bytes,
  );
  gauge(
    registry,
    'in_flight_limit_bytes',
    'Bytes in flight that flow control allows now; 0 without a task.',
    () => tasks.inFlight.limitBytes,
  );
  gauge(
    registry,
    'in_flight_ceiling_bytes',
    'Bytes in flight that the running task may ever have; 0 without a task.',
    () => tasks.inFlight.ceilingBytes,
  );
}

function addWorkerGauges(registry: Registry, source: MetricsSource): void {
  const { workerId, build, draining, leaseLeftMs } = source;
  gauge(
    registry,
    'lease_remaining_seconds',
    'Seconds until the worker ends itself, unless an orchestrator calls before.',
    () => Math.max(0, leaseLeftMs()) / 1_000,
  );
  gauge(registry, 'draining', 'Whether the worker takes no new tasks: 1 while it does not, else 0.', () =>
    draining.begun ? 1 : 0,
  );
  const info = new Gauge({
    name: `${PREFIX}build_info`,
    help: 'Always 1; the labels say which worker this is, its build and the version of its contract.',
    labelNames: ['worker_id', 'build', 'contract'],
    registers: [registry],
  });
  info.set({ worker_id: workerId, build, contract: String(CONTRACT_VERSION) }, 1);
}

function count(registry: Registry, name: string, help: string, read: () => number): void {
  const collect = function (this: Counter): void {
    this.reset();
    this.inc(read());
  };
  const counter = new Counter({ name: PREFIX + name, help, registers: [], collect });
  registry.registerMetric(counter);
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const collect = function (this: Gauge): void {
    this.set(read());
  };
  const metric = new Gauge({ name: PREFIX + name, help, registers: [], collect });
  registry.registerMetric(metric);
}
