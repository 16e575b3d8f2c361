import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import { describedDigest } from '../../definition/digest.ts';
import { loadDefinitions } from '../../definition/load.ts';
import { type TaskRequest, type TaskStatus, taskStatusSchema } from '../../worker/contract.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createGateFunction, createGate, type Gate } from './run-gate.ts';
import { call } from './search-calls.ts';
import { definitionFolders, type WorkerProcess, workerProcesses } from './worker-process.ts';
import { taskRequest } from './worker-service.ts';

/** Rows of `places`. Row n (from 1 on) has the key `keyOf(n)`; every hundredth is filtered, every thousandth has a rank that the mapping refuses. */
export const ROWS = 20_000;
export const FILTERED = ROWS / 100;
export const REFUSED = ROWS / 1_000;

export function keyOf(row: number): number {
  return row * 7 - 70_000;
}

const TABLE = `
  CREATE TABLE places (id bigint PRIMARY KEY, name text NOT NULL, rank text NOT NULL, shown boolean);
  INSERT INTO places
    SELECT n * 7 - 70000, 'place "' || n || '"', CASE WHEN n % 1000 = 1 THEN 'first' ELSE n::text END, n % 100 <> 0
    FROM generate_series(1, ${ROWS}) n;
  ANALYZE places;`;

const HEADERS = { 'Reindex-Run': 'run-1', 'Reindex-Epoch': '1', 'content-type': 'application/json' };

/** A worker process with `places` on board, and what an orchestrator asks it. */
export interface PlacesWorker {
  readonly process: WorkerProcess;
  /** A task of this worker over all of the table, but for the changes. */
  task(target: TaskRequest['targets'][number], changes?: Partial<TaskRequest>): TaskRequest;
  post(request: TaskRequest): Promise<void>;
  ask(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>;
  status(taskId: string): Promise<TaskStatus>;
  finished(taskId: string): Promise<TaskStatus>;
}

export interface Places {
  /** Makes target and companion with their write aliases, as a run does, and gives the task's target. */
  readonly createTarget: () => Promise<TaskRequest['targets'][number]>;
  readonly startWorker: (changes?: {
    id?: string;
    gate?: Gate;
    environment?: NodeJS.ProcessEnv;
  }) => Promise<PlacesWorker>;
  /** Stands before the rows behind this one, see `createGate`. */
  readonly createGate: (row: number) => Promise<Gate>;
  readonly countOf: (index: string) => Promise<number>;
}

/** The table `places` in a database of its own, for a file's tests before a search node. */
export function places(searchUrl: string): Places {
  const start = workerProcesses();
  const writeDefinition = definitionFolders();
  let database: TestDatabase;
  let targets = 0;
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    await withDatabase(database, (client) => client.query(TABLE));
    await createGateFunction(database.url);
  });
  afterAll(() => database.drop());
  return {
    createTarget: () => createTarget(searchUrl, `places-${Date.now()}-${++targets}`),
    createGate: (row) => createGate(database.url, 'places.id', keyOf(row)),
    countOf: async (index) => {
      await call(searchUrl, 'POST', `/${index}/_refresh`);
      return (await call(searchUrl, 'GET', `/${index}/_count`)).body['count'] as number;
    },
    startWorker: async ({ id = 'worker-1', gate, environment = {} } = {}) => {
      const folder = await writeDefinition('places', definitionText(gate));
      const process = start({
        REINDEX_WORKER_ID: id,
        REINDEX_WORKER_PORT: '0',
        REINDEX_WORKER_DATABASE_URL: database.url,
        REINDEX_WORKER_SEARCH_URL: searchUrl,
        REINDEX_WORKER_DEFINITIONS: folder,
        ...environment,
      });
      const digest = await digestOf(folder, database);
      return workerAt(await process.listening(), process, { worker_id: id, definition_digest: digest });
    },
  };
}

function workerAt(url: string, process: WorkerProcess, identity: Partial<TaskRequest>): PlacesWorker {
  const ask: PlacesWorker['ask'] = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: HEADERS,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const status = async (taskId: string): Promise<TaskStatus> =>
    taskStatusSchema.parse((await ask('GET', `/task/${taskId}`)).body);
  return {
    process,
    ask,
    status,
    task: (target, changes = {}) =>
      taskRequest({
        definition: 'places',
        targets: [target],
        start_index: null,
        end_index: null,
        ...identity,
        ...changes,
      }),
    post: async (request) =>
      expect(await ask('POST', '/reindexing_task', request)).toMatchObject({ status: 202 }),
    finished: async (taskId) => {
      let last = await status(taskId);
      // A worker that drains is gone once it has told how its last task ended.
      if (last.active)
        await expect.poll(async () => (last = await status(taskId)).active, { timeout: 50_000 }).toBe(false);
      return last;
    },
  };
}

function definitionText(gate: Gate | undefined): string {
  const passed = gate === undefined ? 'true' : gate.expression;
  return `
source: { table: public.places, key: id, where: places.shown }
document:
  name: places.name
  rank: { sql: places.rank, mapping: { type: long } }
  passed: "${passed}"
dead_letters: { keep_fields: [rank] }
`;
}

async function digestOf(folder: string, database: TestDatabase): Promise<string> {
  const [definition] = await loadDefinitions(folder);
  if (definition === undefined) throw new Error('no definition');
  return withDatabase(database, async (client) =>
    describedDigest(await describeDefinition(client, definition)),
  );
}

async function withDatabase<Result>(
  { url }: TestDatabase,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function createTarget(searchUrl: string, index: string): Promise<TaskRequest['targets'][number]> {
  const target = {
    kind: 'bulk' as const,
    definition: 'places',
    definition_digest: `${'a'.repeat(32)}.${'b'.repeat(32)}`,
    index,
    write_alias: `${index}-write-1`,
    dead_letter_alias: `${index}-dead-letters-write-1`,
  };
  const id = { type: 'long' };
  const properties = { id, name: { type: 'keyword' }, rank: { type: 'long' }, passed: { type: 'boolean' } };
  const letter = {
    id,
    type: { type: 'keyword' },
    reason: { type: 'text' },
    fields: { type: 'object', enabled: false },
  };
  for (const [name, alias, mapped] of [
    [index, target.write_alias, properties],
    [`${index}-dead-letters`, target.dead_letter_alias, letter],
  ] as const) {
    const body = { mappings: { dynamic: 'strict', properties: mapped }, aliases: { [alias]: {} } };
    expect(await call(searchUrl, 'PUT', `/${name}`, body)).toMatchObject({ status: 200 });
  }
  return target;
}
