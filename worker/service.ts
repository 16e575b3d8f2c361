import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { carriesToken } from './bearer-token.ts';
import {
  CONTRACT_VERSION,
  HEADER_CONTRACT,
  HEADER_EPOCH,
  HEADER_RUN,
  type Health,
  taskRequestSchema,
} from './contract.ts';
import { type Holder, holderOf, Holders } from './holders.ts';
import { Refusal } from './refusal.ts';
import { readBody } from './request-body.ts';
import type { TaskRegister } from './tasks.ts';

export interface ServiceOptions {
  readonly workerId: string;
  readonly build: string;
  /** Wanted of every call but the health check; null: of none. */
  readonly token: string | null;
  readonly tasks: TaskRegister;
  readonly ready: () => Promise<boolean>;
  /** Called for each call of a run's orchestrator. */
  readonly renewLease: () => void;
  /** Told of errors that are not the caller's. */
  readonly onError: (error: Error) => void;
}

type Environment = { Variables: { holder: Holder | null } };

/** The worker's HTTP contract, see contract.ts. */
export function createService(options: ServiceOptions): Hono<Environment> {
  const { tasks } = options;
  const app = new Hono<Environment>();
  app.use(async (context, next) => {
    await next();
    context.header(HEADER_CONTRACT, String(CONTRACT_VERSION));
  });
  app.onError((error, context) => answerError(error, context, options.onError));
  app.notFound((context) => context.json({ error: 'There is nothing at this path.' }, 404));

  const admit = admitHolder(options);
  app.get('/healthcheck', async (context) => {
    if (carries(context, options.token)) await admit(context, () => Promise.resolve());
    const ready = await options.ready();
    const health: Health = {
      status: ready ? 'ok' : 'unavailable',
      build: options.build,
      worker_id: options.workerId,
      draining: false,
    };
    return context.json(health, ready ? 200 : 503);
  });
  app.all('/healthcheck', onlyMethods('GET'));

  app.use(authorize(options.token), admit);
  app.post('/reindexing_task', async (context) => {
    const holder = requireHolder(context.get('holder'));
    const request = await readBody(context.req.raw, taskRequestSchema);
    if (request.run !== holder.run) {
      throw new Refusal(400, `run: the body says ${request.run}, the header ${holder.run}.`, {
        field: 'run',
      });
    }
    const { task_id: taskId } = tasks.accept(request);
    return context.json({ message: 'accepted', task_id: taskId, status_check: `/task/${taskId}` }, 202);
  });
  app.all('/reindexing_task', onlyMethods('POST'));

  app.get('/task', (context) => context.json({ tasks: tasks.list() }));
  app.all('/task', onlyMethods('GET'));
  app.get('/task/:id', (context) => context.json(tasks.status(context.req.param('id'))));
  app.delete('/task/:id', async (context) => {
    const { run } = requireHolder(context.get('holder'));
    return context.json(
      await tasks.cancel(context.req.param('id'), `The orchestrator of run ${run} cancelled it.`),
    );
  });
  app.all('/task/:id', onlyMethods('GET, DELETE'));
  return app;
}

/** Whether a call may do what the token is for. Anybody may ask for health, but only the orchestrator's asking is a sign of its life. */
function carries(context: Context, token: string | null): boolean {
  return token === null || carriesToken(context.req.header('authorization'), token);
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

function admitHolder({ tasks, renewLease }: ServiceOptions): MiddlewareHandler<Environment> {
  const holders = new Holders();
  return async (context, next) => {
    const holder = holderOf(context.req.header(HEADER_RUN), context.req.header(HEADER_EPOCH));
    if (holder !== null) {
      holders.admit(holder, tasks.activeRun);
      renewLease();
    }
    context.set('holder', holder);
    await next();
  };
}

function requireHolder(holder: Holder | null): Holder {
  if (holder !== null) return holder;
  throw new Refusal(400, `Only a run's orchestrator may do this: send ${HEADER_RUN} and ${HEADER_EPOCH}.`, {
    field: HEADER_RUN,
  });
}

function onlyMethods(allowed: string): MiddlewareHandler {
  return () => {
    throw new Refusal(405, `Only ${allowed} is possible here.`, { headers: { Allow: allowed } });
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
