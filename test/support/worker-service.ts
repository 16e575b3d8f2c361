import { afterEach } from 'vitest';
import type { IndexDefinition } from '../../definition/definition.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import type { Dependency, TaskRequest, TaskStatus } from '../../worker/contract.ts';
import { mayCall } from '../../worker/bearer-token.ts';
import { Draining } from '../../worker/draining.ts';
import { scheduleWithTimers } from '../../worker/schedule.ts';
import { listen, SERVER_LIMITS, type ServerLimits } from '../../worker/server.ts';
import { createService } from '../../worker/service.ts';
import { NO_FIGURES, type TaskFigures } from '../../worker/task-status.ts';
import { type InFlight, NOTHING_IN_FLIGHT } from '../../worker/targets/in-flight.ts';
import { TaskRegister, type TaskRun } from '../../worker/tasks.ts';
import { requireDocumented } from './documented-answers.ts';

const DIGEST = 'a'.repeat(32);

const DEFINITION: IndexDefinition = {
  name: 'cities',
  alias: 'cities',
  source: {
    table: 'cities',
    as: 'cities',
    key: 'id',
    changedAt: null,
    joins: [],
    where: null,
    unusableChangedAt: 'dead_letter',
    timeZone: 'UTC',
  },
  document: [{ name: 'name', sql: 'name', mapping: null }],
  unrepresentable: 'null',
  maxDocumentBytes: 60_000,
  deadLetters: { promoteLimit: 0, stopLimit: 1_000, keepFields: [] },
  index: {
    settings: {},
    numberOfReplicas: 0,
    refreshInterval: '1s',
    forcemergeSegments: null,
    health: 'green',
  },
  promote: { shrinkLimit: null },
  pipeline: null,
  retain: 1,
};

/** More definitions of the worker. The first can be a target of reading `cities`, the others cannot. */
const OTHERS: readonly IndexDefinition[] = [
  {
    ...DEFINITION,
    name: 'large',
    source: { ...DEFINITION.source, where: 'inhabitants > 1000000' },
    document: [],
  },
  { ...DEFINITION, name: 'towns', source: { ...DEFINITION.source, table: 'towns' } },
  { ...DEFINITION, name: 'shouted', document: [{ name: 'name', sql: 'upper(name)', mapping: null }] },
  { ...DEFINITION, name: 'longer', document: [{ name: 'region', sql: 'region', mapping: null }] },
];

export function taskRequest(changes: Partial<TaskRequest> = {}): TaskRequest {
  return {
    task_id: 'task-1',
    run: 'run-1',
    range_id: 'range-1',
    attempt: 1,
    worker_id: 'worker-1',
    definition: 'cities',
    definition_digest: `${DIGEST}.${'b'.repeat(32)}`,
    targets: [
      {
        kind: 'bulk',
        definition: 'cities',
        definition_digest: `${DIGEST}.${'b'.repeat(32)}`,
        index: 'cities-1',
        write_alias: 'cities-1-write-1',
        dead_letter_alias: 'cities-1-dead-letters-write-1',
      },
    ],
    start_index: '0',
    end_index: '100',
    max_bytes_in_flight: 1_000_000,
    ...changes,
  };
}

/** A task's work, ended and moved by the test. */
export interface ControlledRun {
  readonly request: TaskRequest;
  readonly signal: AbortSignal;
  figures: TaskFigures;
  inFlight: InFlight;
  /** Ends that were moved down. */
  readonly ends: Key[];
  /** The last key that was read, at or below which the end cannot be moved. */
  lastKey: Key | null;
  complete(): void;
  fail(error: Error): void;
}

export interface TestService {
  readonly url: string;
  /** `GET /task/{task_id}`, for each method and path that is answered otherwise than by a refusal. */
  readonly routes: readonly string[];
  readonly tasks: TaskRegister;
  readonly draining: Draining;
  readonly runs: ControlledRun[];
  readonly changes: TaskStatus[];
  readonly errors: Error[];
  renewals: number;
  /** What it cannot reach. */
  unreachable: readonly Dependency[];
  /** Whether its lease is not over. */
  leased: boolean;
  leaseLeftMs: number;
  probes: number;
  /** Why it is drained; null while it is not. */
  drained: string | null;
}

export interface ServiceChanges {
  readonly token?: string;
  readonly limits?: Partial<ServerLimits>;
  readonly lingerMs?: number;
}

export function createRegister(
  runs: ControlledRun[],
  changes: TaskStatus[],
  onChange: (status: TaskStatus) => void = () => undefined,
): TaskRegister {
  return new TaskRegister({
    workerId: 'worker-1',
    definitions: [DEFINITION, ...OTHERS].map((definition) => ({ definition, digest: DIGEST })),
    start: (request, _definition, signal) => startControlled(runs, request, signal),
    clock: () => new Date('2026-01-01T00:00:00Z'),
    onChange: (status) => {
      changes.push(status);
      onChange(status);
    },
  });
}

function startControlled(runs: ControlledRun[], request: TaskRequest, signal: AbortSignal): TaskRun {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => reject(signal.reason as Error));
  const run: ControlledRun = {
    request,
    signal,
    figures: NO_FIGURES,
    inFlight: NOTHING_IN_FLIGHT,
    ends: [],
    lastKey: null,
    complete: resolve,
    fail: reject,
  };
  runs.push(run);
  const lowerEnd = (end: Key): boolean => {
    const possible = run.lastKey === null || run.lastKey < end;
    if (possible) run.ends.push(end);
    return possible;
  };
  return { done: promise, figures: () => run.figures, inFlight: () => run.inFlight, lowerEnd };
}

/** Returns a function that serves the contract over controlled tasks. Each service ends with its test. */
export function testServices(): (changes?: ServiceChanges) => Promise<TestService> {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return async ({ token, limits, lingerMs = 60_000 } = {}) => {
    const runs: ControlledRun[] = [];
    const changes: TaskStatus[] = [];
    const tasks = createRegister(runs, changes, ({ active }) => {
      if (!active) draining.taskEnded();
    });
    const service = {
      tasks,
      runs,
      changes,
      errors: [] as Error[],
      renewals: 0,
      unreachable: [] as readonly Dependency[],
      leased: true,
      leaseLeftMs: 60_000,
      probes: 0,
      drained: null as string | null,
      url: '',
    };
    const draining = new Draining({
      tasks,
      lingerMs,
      now: () => performance.now(),
      schedule: scheduleWithTimers,
      onDrained: (why) => (service.drained = why),
    });
    const app = createService({
      workerId: 'worker-1',
      build: 'build-1',
      token: token ?? null,
      tasks,
      draining,
      unreachable: async () => (service.probes++, service.unreachable),
      renewLease: () => (service.renewals++, service.leased),
      leaseLeftMs: () => service.leaseLeftMs,
      onError: (error) => service.errors.push(error),
    });
    const isAuthorized = (headers: { readonly authorization?: string | undefined }): boolean =>
      mayCall(headers, token ?? null);
    const server = await listen({ fetch: app.fetch, isAuthorized }, '127.0.0.1', 0, {
      ...SERVER_LIMITS,
      ...limits,
    });
    ends.push(
      async () => draining.end(),
      () => tasks.cancelAll('the test is over'),
      () => server.close(),
    );
    const routes = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace(':id', '{task_id}')}`);
    return Object.assign(service, { url: server.url, routes, draining });
  };
}

export const HOLDER = { 'Reindex-Run': 'run-1', 'Reindex-Epoch': '3' };

export interface Answer {
  readonly status: number;
  readonly body: { error?: string; field?: string; [name: string]: unknown };
  /** What was answered, as it came. */
  readonly text: string;
  readonly headers: Headers;
}

export function call(
  service: TestService,
  method: string,
  path: string,
  headers: Record<string, string> = HOLDER,
): Promise<Answer> {
  return answerOf(service.url + path, { method, headers });
}

/** Does what `call` does, with a body of JSON. */
export function send(
  service: TestService,
  path: string,
  { method, headers = HOLDER, body }: { method: string; headers?: Record<string, string>; body: string },
): Promise<Answer> {
  const typed = { 'content-type': 'application/json', ...headers };
  return answerOf(service.url + path, { method, headers: typed, body });
}

/** Each answer must be one that the worker's own OpenAPI document allows for the call. */
async function answerOf(url: string, request: RequestInit & { readonly method: string }): Promise<Answer> {
  const response = await fetch(url, request);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  const body = isJson ? (JSON.parse(text) as Answer['body']) : {};
  const { status, headers } = response;
  requireDocumented(
    { method: request.method, path: new URL(url).pathname },
    { status, headers, body: isJson ? body : text },
  );
  return { status, headers, body, text };
}

export function post(
  service: TestService,
  request: unknown,
  headers: Record<string, string> = HOLDER,
): Promise<Answer> {
  const body = typeof request === 'string' ? request : JSON.stringify(request);
  return send(service, '/reindexing_task', { method: 'POST', headers, body });
}
