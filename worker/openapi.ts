import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import {
  aliveSchema,
  CONTRACT_VERSION,
  drainAcceptedSchema,
  errorBodySchema,
  HEADER_CONTRACT,
  HEADER_EPOCH,
  HEADER_RUN,
  healthSchema,
  MAX_BODY_BYTES,
  taskAcceptedSchema,
  taskEndSchema,
  taskListSchema,
  taskRequestSchema,
  taskStatusSchema,
} from './contract.ts';

/** The worker's HTTP contract as an OpenAPI 3.1 document, made from the schemas that its calls are read and answered by. */
export function openApiDocument(): ReturnType<typeof createDocument> {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'reindex-fleet worker',
      version: String(CONTRACT_VERSION),
      summary: 'Reads key ranges of a table into search indexes.',
      description:
        'Any other path answers 404, and any other method of a path 405 with the header Allow. Every answer that is not as asked has the body ErrorBody.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The worker that gave this document.' }],
    security: [{ token: [] }],
    paths: PATHS,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'The token of the worker. A worker without a token listens on loopback only and asks for none.',
        },
      },
      schemas: {
        TaskRequest: taskRequestSchema,
        TaskEnd: taskEndSchema,
        TaskAccepted: taskAcceptedSchema,
        TaskStatus: taskStatusSchema,
        TaskList: taskListSchema,
        DrainAccepted: drainAcceptedSchema,
        Health: healthSchema,
        Alive: aliveSchema,
        ErrorBody: errorBodySchema,
      },
    },
  });
}

const contractHeader = z
  .string()
  .meta({ description: 'The version of the contract that the worker speaks.' });

const holderHeaders = {
  [HEADER_RUN]: z.string().min(1).max(255).meta({ description: 'The run of the calling orchestrator.' }),
  [HEADER_EPOCH]: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,15})$/)
    .meta({ description: "The epoch of the orchestrator's lock. One lower than seen is refused." }),
};
/** Only an orchestrator may make the call. */
const holderOnly = z.object(holderHeaders);
/** A person may make the call, too; then it renews no lease. */
const holderOrNobody = z.object(holderHeaders).partial();

const taskPath = z.object({
  task_id: z.string().meta({ description: 'The id that the task was posted with.' }),
});

function answer(
  description: string,
  schema: z.ZodType,
  headers: Readonly<Record<string, z.ZodType>> = {},
): ZodOpenApiResponseObject {
  return {
    description,
    headers: z.object({ [HEADER_CONTRACT]: contractHeader, ...headers }),
    content: { 'application/json': { schema } },
  };
}

function refusal(
  description: string,
  headers: Readonly<Record<string, z.ZodType>> = {},
): ZodOpenApiResponseObject {
  return answer(description, errorBodySchema, headers);
}

/** What the parser of HTTP says before the call is looked at: without the contract's header. */
function unreadable(description: string): ZodOpenApiResponseObject {
  return { description, content: { 'application/json': { schema: errorBodySchema } } };
}

const UNREADABLE = {
  '408': unreadable('The request took too long to arrive.'),
  '431': unreadable('The URL and the headers are too long.'),
};

/** Of every call that an orchestrator may make. */
const OF_A_HOLDER = {
  '400': refusal('The call is malformed. `field` names the field or the header at fault.'),
  '409': refusal('A later epoch holds the run’s lock, or the worker works for another run.'),
  '500': refusal('An unexpected error. The log of the worker says more.'),
  '503': refusal('The lease of the worker is over: it ends.'),
  ...UNREADABLE,
};

const GUARDED = {
  ...OF_A_HOLDER,
  '401': refusal('The token is missing or wrong.', {
    'WWW-Authenticate': z.string().meta({ description: 'Bearer' }),
  }),
};

const OF_A_BODY = {
  '413': refusal(`The body is larger than ${MAX_BODY_BYTES} bytes.`),
  '415': refusal('The body is not JSON in UTF-8.'),
};

const UNKNOWN_TASK = { '404': refusal('The worker does not know the task.') };

function json(schema: z.ZodType): NonNullable<ZodOpenApiOperationObject['requestBody']> {
  return { required: true, content: { 'application/json': { schema } } };
}

const PATHS: ZodOpenApiPathsObject = {
  '/healthcheck': {
    get: {
      operationId: 'getHealth',
      summary: 'Says which worker this is, and whether it can reach its database and its cluster.',
      security: [{}, { token: [] }],
      requestParams: { header: holderOrNobody },
      responses: {
        ...OF_A_HOLDER,
        '200': answer('It can reach both.', healthSchema),
        '503': answer(
          'The database or the cluster cannot be reached (Health), or the lease of the worker is over (ErrorBody).',
          z.union([healthSchema, errorBodySchema]),
        ),
      },
    },
  },
  '/alive': {
    get: {
      operationId: 'getAlive',
      summary: 'Answers while the process answers, whatever it can reach.',
      security: [{}],
      responses: { '200': answer('It is alive.', aliveSchema), ...UNREADABLE },
    },
  },
  '/reindexing_task': {
    post: {
      operationId: 'postTask',
      summary: 'Gives the worker a task. The same id and body again is no second task.',
      requestParams: { header: holderOnly },
      requestBody: json(taskRequestSchema),
      responses: {
        ...GUARDED,
        ...OF_A_BODY,
        '202': answer('The task is accepted, now or before.', taskAcceptedSchema),
        '404': refusal('A definition is not on board.'),
        '409': refusal(
          'The id was posted with another body, a higher attempt of the range was seen, the task is for another worker or another definition; or as for every call.',
        ),
        '429': refusal('One task runs and one waits.', {
          'Retry-After': z.string().meta({ description: 'Seconds.' }),
        }),
        '503': refusal('The worker drains, or its lease is over.'),
      },
    },
  },
  '/task': {
    get: {
      operationId: 'listTasks',
      summary: 'Says how all tasks stand, the newest first.',
      requestParams: { header: holderOrNobody },
      responses: { ...GUARDED, '200': answer('All tasks that the worker remembers.', taskListSchema) },
    },
  },
  '/task/{task_id}': {
    get: {
      operationId: 'getTask',
      summary: 'Says how a task stands.',
      requestParams: { path: taskPath, header: holderOrNobody },
      responses: { ...GUARDED, ...UNKNOWN_TASK, '200': answer('Its status.', taskStatusSchema) },
    },
    patch: {
      operationId: 'lowerTaskEnd',
      summary: 'Moves the end of a task down, so that the rest can be given to another worker.',
      requestParams: { path: taskPath, header: holderOnly },
      requestBody: json(taskEndSchema),
      responses: {
        ...GUARDED,
        ...OF_A_BODY,
        ...UNKNOWN_TASK,
        '200': answer('Its status with the new end.', taskStatusSchema),
        '409': refusal('The task is over, cannot end there or has read as far; or as for every call.'),
      },
    },
    delete: {
      operationId: 'cancelTask',
      summary: 'Ends a task and gives its final counts. A task that is over stays as it is.',
      requestParams: { path: taskPath, header: holderOnly },
      responses: { ...GUARDED, ...UNKNOWN_TASK, '200': answer('Its final status.', taskStatusSchema) },
    },
  },
  '/drain': {
    post: {
      operationId: 'drain',
      summary:
        'Lets the worker take no new task. It goes on with those that it has, and answers until its orchestrator ends it or its lease is over.',
      requestParams: { header: holderOnly },
      responses: { ...GUARDED, '202': answer('The worker takes no more.', drainAcceptedSchema) },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'Gives the counters of the worker and of its process for Prometheus.',
      requestParams: { header: holderOrNobody },
      responses: {
        ...GUARDED,
        '200': {
          description: 'Prometheus text format, version 0.0.4.',
          headers: z.object({ [HEADER_CONTRACT]: contractHeader }),
          content: { 'text/plain': { schema: z.string() } },
        },
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'getContract',
      summary: 'Gives this document.',
      requestParams: { header: holderOrNobody },
      responses: { ...GUARDED, '200': answer('This document.', z.record(z.string(), z.unknown())) },
    },
  },
};
