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

/** A worker answered, but not as asked. `status` 0: there was no answer at all. */
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
  /** One call's whole time; a worker that takes longer counts as not answering in this tick. */
  readonly timeoutMs: number;
}

/** What an orchestrator asks of a worker. Each rejects with a WorkerRefusal; none is retried below this port. */
export interface WorkerCalls {
  /** `ready` is false while the worker is booted but its database or cluster cannot be reached. */
  health(url: string): Promise<Health & { ready: boolean }>;
  /** Null: the worker does not know the task. */
  task(url: string, taskId: string): Promise<TaskStatus | null>;
  /** All tasks that the worker remembers, the newest first. */
  tasks(url: string): Promise<readonly TaskStatus[]>;
  /** Resolves when the task is accepted, now or before. */
  post(url: string, task: TaskRequest): Promise<void>;
  /** Moves the task's end down; resolves when it is there, now or before. */
  cut(url: string, taskId: string, endIndex: string): Promise<void>;
  /** Ends the task; resolves when it is over. */
  cancel(url: string, taskId: string): Promise<void>;
  /** Lets the worker take no new task; resolves when it takes none any more. It answers on until it is ended. */
  drain(url: string): Promise<void>;
}

/** Calls of one run to its workers. Every call carries run and epoch, which renews the worker's lease. No retries. */
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

/** Anything else that listens at a worker's address, or a worker of another age, is not spoken to. */
function requireContract(url: string, spoken: string | string[] | undefined): void {
  if (spoken === String(CONTRACT_VERSION)) return;
  throw new WorkerRefusal(
    0,
    `${url} speaks contract ${[spoken ?? 'none'].flat().join(', ')}, this orchestrator ${CONTRACT_VERSION}`,
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
