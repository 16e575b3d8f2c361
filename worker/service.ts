import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import { mayCall } from './bearer-token.ts';
import {
  type Alive,
  CONTRACT_VERSION,
  type Dependency,
  type DrainAccepted,
  HEADER_CONTRACT,
  HEADER_EPOCH,
  HEADER_RUN,
  type Health,
  taskEndSchema,
  taskRequestSchema,
  type TaskStatus,
} from './contract.ts';
import type { Draining } from './draining.ts';
import { type Holder, holderOf, Holders } from './holders.ts';
import { Refusal } from './refusal.ts';
import { readBody } from './request-body.ts';
import type { TaskRegister } from './tasks.ts';

export interface ServiceOptions {
  readonly workerId: string;
  readonly build: string;
  /** Every call but `GET /healthcheck` and `GET /alive` must have it. Null: no call needs one. */
  readonly token: string | null;
  readonly tasks: TaskRegister;
  readonly draining: Draining;
  /** The dependencies that cannot be reached now. Empty: the worker is ready. */
  readonly unreachable: () => Promise<readonly Dependency[]>;
  /** Called for each call of a run's orchestrator. False: the lease is over, and the call is refused. */
  readonly renewLease: () => boolean;
  /** Milliseconds until the lease is over. */
  readonly leaseLeftMs: () => number;
  /** Called with errors that the caller did not cause. */
  readonly onError: (error: Error) => void;
}

type Environment = { Variables: { holder: Holder | null } };

/** The worker's HTTP contract, see contract.ts. */
export function createService(options: ServiceOptions): Hono<Environment> {
  const { tasks, draining } = options;
  const app = new Hono<Environment>();
  app.use(async (context, next) => {
    await next();
    context.header(HEADER_CONTRACT, String(CONTRACT_VERSION));
  });
  app.onError((error, context) => answerError(error, context, options.onError));
  app.notFound((context) =>
    context.json(
      { error: 'There is nothing at this path. GET /healthcheck is the health check, tasks are at /task.' },
      404,
    ),
  );

  const holders = new Holders();
  const admit = admitHolder(holders, options);
  const give = giveStatus(draining);
  app.get('/healthcheck', async (context) => {
    if (carries(context, options.token)) await admit(context, () => Promise.resolve());
    const unreachable = await options.unreachable();
    const ready = unreachable.length === 0;
    const health: Health = {
      status: ready ? 'ok' : 'unavailable',
      build: options.build,
      worker_id: options.workerId,
      draining: draining.begun,
      ...(ready ? {} : { unreachable: [...unreachable] }),
    };
    return context.json(health, ready ? 200 : 503);
  });
  app.all('/healthcheck', onlyMethods('GET'));
  app.get('/alive', (context) => context.json<Alive>({ status: 'alive' }));
  app.all('/alive', onlyMethods('GET'));

  app.use(authorize(options.token), admit);
  app.post('/reindexing_task', async (context) => {
    const { run } = requireHolder(context.get('holder'));
    const request = await readOrder(context, taskRequestSchema, holders, tasks);
    if (request.run !== run) {
      throw new Refusal(
        400,
        `run: the body says ${request.run}, and the header says ${run}. Send the same run in both.`,
        { field: 'run' },
      );
    }
    draining.refuseNew(request.task_id);
    const { task_id: taskId } = tasks.accept(request);
    return context.json({ message: 'accepted', task_id: taskId, status_check: `/task/${taskId}` }, 202);
  });
  app.all('/reindexing_task', onlyMethods('POST'));

  app.get('/task', (context) => context.json({ tasks: tasks.list().map((status) => give(context, status)) }));
  app.all('/task', onlyMethods('GET'));
  app.get('/task/:id', (context) => context.json(give(context, tasks.status(context.req.param('id')))));
  app.patch('/task/:id', async (context) => {
    const { end_index: endIndex } = await readOrder(context, taskEndSchema, holders, tasks);
    return context.json(give(context, tasks.lowerEnd(context.req.param('id'), endIndex)));
  });
  app.delete('/task/:id', async (context) => {
    const { run } = requireHolder(context.get('holder'));
    const why = `The orchestrator of run ${run} cancelled it.`;
    return context.json(give(context, await tasks.cancel(context.req.param('id'), why)));
  });
  app.all('/task/:id', onlyMethods('GET, PATCH, DELETE'));

  app.post('/drain', (context) => {
    requireHolder(context.get('holder'));
    const accepted: DrainAccepted = { draining: true, active_tasks: draining.takeNoMore() };
    return context.json(accepted, 202);
  });
  app.all('/drain', onlyMethods('POST'));
  describeSelf(app, options);
  return app;
}

/** What few ever ask for is loaded when it is first asked for: until then it costs a worker neither time nor memory. */
function describeSelf(app: Hono<Environment>, options: ServiceOptions): void {
  let registry: Promise<Registry> | null = null;
  app.get('/metrics', async (context) => {
    registry ??= import('./metrics.ts').then(({ workerMetrics }) => workerMetrics(options));
    const { contentType, metrics } = await registry.then(textOf);
    return context.body(metrics, 200, { 'Content-Type': contentType });
  });
  app.all('/metrics', onlyMethods('GET'));
  app.get('/openapi.json', async (context) => {
    const { openApiDocument } = await import('./openapi.ts');
    return context.json(openApiDocument());
  });
  app.all('/openapi.json', onlyMethods('GET'));
}

async function textOf(registry: Registry): Promise<{ contentType: string; metrics: string }> {
  return { contentType: registry.contentType, metrics: await registry.metrics() };
}

/** Whether a call may do what the token is for. Anybody may ask for health, but only the orchestrator's asking is a sign of its life. */
function carries(context: Context, token: string | null): boolean {
  return mayCall(context.req.header(), token);
}

function authorize(token: string | null): MiddlewareHandler<Environment> {
  return async (context, next) => {
    if (!carries(context, token)) {
      throw new Refusal(401, "This call wants the worker's token: send Authorization: Bearer ….", {
        headers: { 'WWW-Authenticate': 'Bearer' },
      });
    }
    await next();
  };
}

function admitHolder(
  holders: Holders,
  { tasks, renewLease }: ServiceOptions,
): MiddlewareHandler<Environment> {
  return async (context, next) => {
    const holder = holderOf(context.req.header(HEADER_RUN), context.req.header(HEADER_EPOCH));
    if (holder !== null) {
      holders.admit(holder, tasks.activeRun);
      if (!renewLease())
        throw new Refusal(503, 'The lease of this worker is over, and the worker ends. Use another worker.');
    }
    context.set('holder', holder);
    await next();
  };
}

/** The body of a holder's call. The call is refused if its caller no longer holds the lock when the body has arrived. */
async function readOrder<Schema extends z.ZodType>(
  context: Context<Environment>,
  schema: Schema,
  holders: Holders,
  tasks: TaskRegister,
): Promise<z.output<Schema>> {
  const holder = requireHolder(context.get('holder'));
  const body = await readBody(context.req.raw, schema);
  holders.admit(holder, tasks.activeRun);
  return body;
}

/** Notes that an orchestrator gets a status. */
function giveStatus(draining: Draining) {
  return (context: Context<Environment>, status: TaskStatus): TaskStatus => {
    if (context.get('holder') !== null) draining.statusGiven(status);
    return status;
  };
}

function requireHolder(holder: Holder | null): Holder {
  if (holder !== null) return holder;
  throw new Refusal(400, `Only a run's orchestrator may do this. Send ${HEADER_RUN} and ${HEADER_EPOCH}.`, {
    field: HEADER_RUN,
  });
}

function onlyMethods(allowed: string): MiddlewareHandler {
  return () => {
    throw new Refusal(405, `This path does not take this method. Use ${allowed}.`, {
      headers: { Allow: allowed },
    });
  };
}

function answerError(error: Error, context: Context, onError: (error: Error) => void): Response {
  if (!(error instanceof Refusal)) {
    onError(error);
    return context.json({ error: "An unexpected error; the worker's log says more." }, 500);
  }
  const body = { error: error.message, ...(error.field === undefined ? {} : { field: error.field }) };
  return context.json(body, error.status, error.headers);
}
