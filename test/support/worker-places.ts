import { afterAll, beforeAll, expect, inject } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import { describedDigest } from '../../definition/digest.ts';
import { loadDefinitions } from '../../definition/load.ts';
import type { TaskRequest } from '../../worker/contract.ts';
import { createTestDatabase, type TestDatabase, withDatabase } from './database.ts';
import { createGateFunction, createGate, type Gate } from './run-gate.ts';
import { call } from './search-calls.ts';
import { callerOf, type WorkerCaller } from './worker-caller.ts';
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

/** The names of a target in the cluster. */
export interface PlaceNames {
  readonly index: string;
  readonly write_alias: string;
  readonly dead_letter_alias: string;
}

/** A worker process with the definition `places`, and the calls of an orchestrator. */
export interface PlacesWorker extends WorkerCaller {
  readonly process: WorkerProcess;
  /** A task of this worker over all of the table, but for the changes. */
  task(target: PlaceNames, changes?: Partial<TaskRequest>): TaskRequest;
}

export interface Places {
  /** Makes target and companion with their write aliases, as a run does, and gives the task's target. */
  readonly createTarget: () => Promise<PlaceNames>;
  readonly startWorker: (changes?: {
    id?: string;
    gate?: Gate;
    environment?: NodeJS.ProcessEnv;
  }) => Promise<PlacesWorker>;
  /** The gate stops the rows after this one, see `createGate`. */
  readonly createGate: (row: number) => Promise<Gate>;
  readonly countOf: (index: string) => Promise<number>;
}

/** Makes the table `places` in a database of its own, for the tests of one file with a search node. */
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
    createTarget: () => createTarget(searchUrl, `places-${Date.now()}-${++targets}`, PROPERTIES),
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
      return workerAt(await process.listening(), process, { id, digest });
    },
  };
}

function workerAt(
  url: string,
  process: WorkerProcess,
  { id, digest }: { readonly id: string; readonly digest: string },
): PlacesWorker {
  return {
    ...callerOf(url),
    process,
    task: (target, changes = {}) =>
      taskRequest({
        worker_id: id,
        definition: 'places',
        definition_digest: digest,
        targets: [{ kind: 'bulk', definition: 'places', definition_digest: digest, ...target }],
        start_index: null,
        end_index: null,
        ...changes,
      }),
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

const PROPERTIES = { name: { type: 'keyword' }, rank: { type: 'long' }, passed: { type: 'boolean' } };

/** Makes an index with these fields beside its key, and its companion, both with their write aliases. */
export async function createTarget(
  searchUrl: string,
  index: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<PlaceNames> {
  const target = {
    index,
    write_alias: `${index}-write-1`,
    dead_letter_alias: `${index}-dead-letters-write-1`,
  };
  const id = { type: 'long' };
  const properties = { id, ...fields };
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
