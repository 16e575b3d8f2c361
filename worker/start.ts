import type { IncomingHttpHeaders } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { buildDigest } from '../definition/build.ts';
import type { IndexDefinition } from '../definition/definition.ts';
import { digestDefinition } from '../definition/digest.ts';
import { mayCall } from './bearer-token.ts';
import { type Dependency, MAX_TARGETS, type TaskStatus } from './contract.ts';
import { Draining } from './draining.ts';
import { exchange } from './http-exchange.ts';
import { Lease } from './lease.ts';
import { type Probe, PROBE_TIMEOUT_MS, Readiness } from './readiness.ts';
import { runTask } from './run-task.ts';
import { scheduleWithTimers as schedule } from './schedule.ts';
import { listen } from './server.ts';
import { createService } from './service.ts';
import type { WorkerSettings } from './settings.ts';
import { BatchPool } from './targets/batch-pool.ts';
import { MOST_FRAMING_BYTES, TargetConnections } from './targets/kinds.ts';
import { TaskRegister } from './tasks.ts';

/** Why a worker ends by itself. */
export interface Over {
  readonly cause: 'lease' | 'drained';
  /** As a clause. */
  readonly why: string;
}

export interface Worker {
  readonly url: string;
  readonly build: string;
  /** Takes no new task, and is over after the last. */
  drain(): void;
  /** Cancels the tasks that have not begun to run. */
  cancelWaiting(why: string): Promise<void>;
  cancelAll(why: string): Promise<void>;
  /** Takes no more calls, cancels the tasks, closes the connections. */
  stop(why: string): Promise<void>;
}

/**
 * Starts a worker. It resolves when the worker listens.
 * @param onOver called when the worker ends by itself
 */
export async function startWorker(
  settings: WorkerSettings,
  definitions: readonly IndexDefinition[],
  log: Logger,
  onOver: (over: Over) => void,
): Promise<Worker> {
  const build = await buildDigest([...definitions]);
  const now = (): number => performance.now();
  const pool = poolFor(settings, definitions);
  const targets = new TargetConnections(settings, Math.max(pool.size, MAX_TARGETS) + 1);
  const tasks = new TaskRegister({
    workerId: settings.id,
    definitions: definitions.map((definition) => ({ definition, digest: digestDefinition(definition) })),
    start: (request, definitions, signal) =>
      runTask(request, definitions, signal, { settings, targets, pool, now }),
    clock: () => new Date(),
    onChange: (status) => {
      logChange(log, status);
      if (!status.active) draining.taskEnded();
    },
  });
  const draining = new Draining({
    tasks,
    lingerMs: settings.drain_linger_ms,
    now,
    schedule,
    onDrained: (why) => onOver({ cause: 'drained', why }),
  });
  const readiness = new Readiness({
    probes: { database: databaseProbe(settings), cluster: searchProbe(settings) },
    now,
    onChange: (dependency, fault) => logReach(log, dependency, fault),
  });
  const lease = new Lease({
    leaseMs: settings.lease_ms,
    now,
    schedule,
    onExpired: () =>
      onOver({
        cause: 'lease',
        why: `no orchestrator has called for ${settings.lease_ms} ms, so the lease is over`,
      }),
  });
  const service = createService({
    workerId: settings.id,
    build,
    token: settings.token,
    tasks,
    draining,
    unreachable: () => readiness.unreachable(),
    renewLease: () => lease.renew(),
    leaseLeftMs: () => lease.leftMs,
    onError: (error) => log.error({ error: error.stack }, 'a call failed unexpectedly'),
  });
  const stopWork = async (why: string): Promise<void> => {
    lease.end();
    draining.end();
    await tasks.cancelAll(why);
    await targets.close();
  };
  try {
    const { fetch } = service;
    const isAuthorized = (headers: IncomingHttpHeaders): boolean => mayCall(headers, settings.token);
    const server = await listen({ fetch, isAuthorized }, settings.host, settings.port);
    const stop = async (why: string): Promise<void> =>
      void (await Promise.all([server.close(), stopWork(why)]));
    return {
      url: server.url,
      build,
      drain: () => draining.begin(),
      cancelWaiting: (why) => tasks.cancelWaiting(why),
      cancelAll: (why) => tasks.cancelAll(why),
      stop,
    };
  } catch (error) {
    await stopWork('The worker could not listen.');
    throw error;
  }
}

/**
 * As many batches as fit into the bytes in flight. Each has room for the largest document of any definition, and is sent
 * when it has `batch_bytes`.
 */
function poolFor(settings: WorkerSettings, definitions: readonly IndexDefinition[]): BatchPool {
  const largestBytes = Math.max(0, ...definitions.map(({ maxDocumentBytes }) => maxDocumentBytes));
  const capacityBytes = Math.max(settings.batch_bytes, largestBytes + MOST_FRAMING_BYTES);
  const batches = Math.max(2, Math.floor(settings.max_bytes_in_flight / settings.batch_bytes));
  return new BatchPool(capacityBytes, batches, settings.batch_bytes);
}

function databaseProbe({ database_url: url }: WorkerSettings): Probe {
  return async (signal) => {
    const client = new Client({
      connectionString: url,
      application_name: 'reindex-fleet worker',
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    });
    client.on('error', () => undefined);
    const end = (): void => void client.end();
    signal.addEventListener('abort', end, { once: true });
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      signal.removeEventListener('abort', end);
      await client.end();
    }
  };
}

function searchProbe({ search_url: url, search_authorization: authorization }: WorkerSettings): Probe {
  return async (signal) => {
    const { status } = await exchange({
      url: new URL(url),
      headers: authorization === null ? {} : { authorization },
      signal,
    });
    if (!isThere(status)) throw new Error(`the search cluster answers ${status}`);
  };
}

/** A cluster that keeps to itself what it is, or has no such call, is there all the same. */
function isThere(status: number): boolean {
  return status === 200 || [401, 403, 404, 405, 410].includes(status);
}

function logReach(log: Logger, dependency: Dependency, fault: string | null): void {
  if (fault !== null) log.warn({ error: fault }, `the ${dependency} cannot be reached`);
  else log.info(`the ${dependency} can be reached again`);
}

function logChange(log: Logger, status: TaskStatus): void {
  if (status.error !== null) log.warn({ task: status }, 'task ended early');
  else log.info({ task: status }, status.active ? 'task started' : 'task completed');
}
