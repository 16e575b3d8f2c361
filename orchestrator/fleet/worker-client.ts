import { Agent, request } from 'undici';
import type { z } from 'zod';
import { Failure, moveAfterStatus, type NextMove } from '../../definition/failure.ts';
import {
  CONTRACT_VERSION,
  drainAcceptedSchema,
  errorBodySchema,
  HEADER_CONTRACT,
  HEADER_EPOCH,
  HEADER_RUN,
  type Health,
  healthSchema,
  taskListSchema,
  type TaskRequest,
  type TaskStatus,
  taskStatusSchema,
} from '../../worker/contract.ts';
import { messageOf } from '../errors.ts';

/** A worker did not answer as asked. With `status` 0 it did not answer at all. */
export class WorkerRefusal extends Failure {
  override readonly name = 'WorkerRefusal';
  override readonly move: NextMove;
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
    this.move = moveAfterStatus(status);
  }
}

export interface WorkerClientOptions {
  readonly run: string;
  readonly epoch: number;
  readonly token: string;
  /** The longest time for one call. A worker that takes longer counts as not answering in this tick. */
  readonly timeoutMs: number;
}

/** What an orchestrator asks of a worker. Each call rejects with a WorkerRefusal. Nothing below this port retries. */
export interface WorkerCalls {
  /** `ready` is false while the worker is booted but its database or cluster cannot be reached. */
  health(url: string): Promise<Health & { ready: boolean }>;
  /** A task's status. Null when the worker does not know the task. */
  task(url: string, taskId: string): Promise<TaskStatus | null>;
  /** All tasks that the worker remembers, the newest first. */
  tasks(url: string): Promise<readonly TaskStatus[]>;
  /** Resolves when the worker has accepted the task, now or before. */
  post(url: string, task: TaskRequest): Promise<void>;
  /** Moves the task's end down. Resolves when the end is there, now or before. */
  cut(url: string, taskId: string, endIndex: string): Promise<void>;
  /** Ends the task. Resolves when it is over. */
  cancel(url: string, taskId: string): Promise<void>;
  /** Lets the worker take no new task; resolves when it takes none any more. It answers on until it is ended. */
  drain(url: string): Promise<void>;
}

/**
 * Calls of one run to its workers. Every call carries run and epoch, which renews the worker's lease. It does not
 * retry.
 */
export class WorkerClient implements WorkerCalls {
  readonly #agent: Agent;
  readonly #options: WorkerClientOptions;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      connections: 2,
      connect: { timeout: options.timeoutMs },
      keepAliveTimeout: 10_000,
    });
  }

  async health(url: string): Promise<Health & { ready: boolean }> {
    const { status, body } = await this.#call('GET', `${url}/healthcheck`);
    if (status !== 200 && status !== 503) throw refusalOf(status, body);
    return { ...parse(healthSchema, body, url), ready: status === 200 };
  }

  async task(url: string, taskId: string): Promise<TaskStatus | null> {
    const { status, body } = await this.#call('GET', `${url}/task/${encodeURIComponent(taskId)}`);
    if (status === 404) return null;
    if (status !== 200) throw refusalOf(status, body);
    return parse(taskStatusSchema, body, url);
  }

  async tasks(url: string): Promise<readonly TaskStatus[]> {
    const { status, body } = await this.#call('GET', `${url}/task`);
    if (status !== 200) throw refusalOf(status, body);
    return parse(taskListSchema, body, url).tasks;
  }

  async post(url: string, task: TaskRequest): Promise<void> {
    const { status, body } = await this.#call('POST', `${url}/reindexing_task`, task);
    if (status !== 202) throw refusalOf(status, body);
  }

  async cut(url: string, taskId: string, endIndex: string): Promise<void> {
    const end = { end_index: endIndex };
    const { status, body } = await this.#call('PATCH', `${url}/task/${encodeURIComponent(taskId)}`, end);
    if (status !== 200) throw refusalOf(status, body);
  }

  async cancel(url: string, taskId: string): Promise<void> {
    const { status, body } = await this.#call('DELETE', `${url}/task/${encodeURIComponent(taskId)}`);
    if (status !== 200) throw refusalOf(status, body);
  }

  async drain(url: string): Promise<void> {
    const { status, body } = await this.#call('POST', `${url}/drain`);
    if (status !== 202) throw refusalOf(status, body);
    parse(drainAcceptedSchema, body, url);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const { run, epoch, token, timeoutMs } = this.#options;
    try {
      const response = await request(url, {
        method,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          [HEADER_RUN]: run,
          [HEADER_EPOCH]: String(epoch),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      requireContract(url, response.headers[HEADER_CONTRACT.toLowerCase()]);
      return { status: response.statusCode, body: await response.body.json().catch(() => null) };
    } catch (error) {
      if (error instanceof WorkerRefusal) throw error;
      throw new WorkerRefusal(0, `${method} ${url}: ${messageOf(error)}`);
    }
  }
}

/** Refuses a worker of another contract, and anything else that listens at a worker's address. */
function requireContract(url: string, spoken: string | string[] | undefined): void {
  if (spoken === String(CONTRACT_VERSION)) return;
  throw new WorkerRefusal(
    0,
    `${url} speaks contract ${[spoken ?? 'none'].flat().join(', ')}, but this orchestrator speaks ${CONTRACT_VERSION}`,
  );
}

function refusalOf(status: number, body: unknown): WorkerRefusal {
  const parsed = errorBodySchema.safeParse(body);
  return new WorkerRefusal(status, parsed.success ? parsed.data.error : `status ${status} without a reason`);
}

function parse<T>(schema: z.ZodType<T>, body: unknown, url: string): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success)
    throw new WorkerRefusal(0, `${url} does not speak the worker's contract: ${parsed.error.message}`);
  return parsed.data;
}
