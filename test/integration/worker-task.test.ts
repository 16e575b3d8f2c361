import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Client } from 'pg';
import { describeDefinition } from '../../definition/describe.ts';
import { describedDigest } from '../../definition/digest.ts';
import { loadDefinitions } from '../../definition/load.ts';
import { type TaskRequest, type TaskStatus, taskStatusSchema } from '../../worker/contract.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { definitionFolders, workerProcesses } from '../support/worker-process.ts';
import { taskRequest } from '../support/worker-service.ts';

const ROWS = 20_000;
/** Every hundredth row is filtered; every thousandth has a rank that the mapping refuses. */
const TABLE = `
  CREATE TABLE places (id bigint PRIMARY KEY, name text NOT NULL, rank text NOT NULL, shown boolean);
  INSERT INTO places
    SELECT n * 7 - 70000, 'place "' || n || '"', CASE WHEN n % 1000 = 1 THEN 'first' ELSE n::text END, n % 100 <> 0
    FROM generate_series(1, ${ROWS}) n;
  ANALYZE places;`;
const YAML = `
source: { table: public.places, key: id, where: places.shown }
document: { name: places.name, rank: { sql: places.rank, mapping: { type: long } } }
dead_letters: { keep_fields: [rank] }
`;
const FILTERED = ROWS / 100;
const REFUSED = ROWS / 1_000;

const start = workerProcesses();
const writeDefinition = definitionFolders();
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await query(TABLE);
});
afterAll(() => database.drop());

async function query(sql: string): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

const NODES = [
  ['the development node', inject('developmentUrl')],
  ['OpenSearch', inject('searchUrl')],
] as const;

describe.each(NODES)('a task before %s', (_name, searchUrl) => {
  let runs = 0;

  async function search<Body>(method: string, path: string, body?: object): Promise<Body> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${searchUrl}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    expect([path, response.ok]).toEqual([path, true]);
    return (await response.json()) as Body;
  }

  async function countOf(index: string): Promise<number> {
    await search('POST', `/${index}/_refresh`);
    return (await search<{ count: number }>('GET', `/${index}/_count`)).count;
  }

  /** Makes target and companion with their write aliases, as a run does, and gives the task's target. */
  async function createTarget(): Promise<TaskRequest['targets'][number]> {
    const index = `places-${Date.now()}-${++runs}`;
    const target = {
      index,
      write_alias: `${index}-write-1`,
      dead_letter_alias: `${index}-dead-letters-write-1`,
    };
    const key = { id: { type: 'long' } };
    const properties = { ...key, name: { type: 'keyword' }, rank: { type: 'long' } };
    const letter = {
      ...key,
      type: { type: 'keyword' },
      reason: { type: 'text' },
      fields: { type: 'object', enabled: false },
    };
    await search('PUT', `/${index}`, {
      mappings: { dynamic: 'strict', properties },
      aliases: { [target.write_alias]: {} },
    });
    await search('PUT', `/${index}-dead-letters`, {
      mappings: { dynamic: 'strict', properties: letter },
      aliases: { [target.dead_letter_alias]: {} },
    });
    return target;
  }

  async function startWorker(): Promise<{ url: string; digest: string }> {
    const folder = await writeDefinition('places', YAML);
    const worker = start({
      REINDEX_WORKER_ID: 'worker-1',
      REINDEX_WORKER_PORT: '0',
      REINDEX_WORKER_DATABASE_URL: database.url,
      REINDEX_WORKER_SEARCH_URL: searchUrl ?? '',
      REINDEX_WORKER_DEFINITIONS: folder,
    });
    const [definition] = await loadDefinitions(folder);
    if (definition === undefined) throw new Error('no definition');
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const digest = describedDigest(await describeDefinition(client, definition));
    await client.end();
    return { url: await worker.listening(), digest };
  }

  const headers = { 'Reindex-Run': 'run-1', 'Reindex-Epoch': '1', 'content-type': 'application/json' };

  async function post(url: string, request: TaskRequest): Promise<void> {
    const response = await fetch(`${url}/reindexing_task`, {
      method: 'POST',
      headers,
      body: JSON.stringify(request),
    });
    expect([response.status, await response.json()]).toMatchObject([202, {}]);
  }

  async function finished(url: string, taskId: string): Promise<TaskStatus> {
    let status: TaskStatus | undefined;
    const poll = async (): Promise<boolean> => {
      status = taskStatusSchema.parse(await (await fetch(`${url}/task/${taskId}`, { headers })).json());
      return status.active;
    };
    await expect.poll(poll, { timeout: 30_000 }).toBe(false);
    if (status === undefined) throw new Error('no status');
    return status;
  }

  it.skipIf(searchUrl === null)('ends with every row indexed, filtered or dead-lettered', async () => {
    const { url, digest } = await startWorker();
    const target = await createTarget();
    const request = taskRequest({
      definition: 'places',
      definition_digest: digest,
      targets: [target],
      start_index: null,
      end_index: null,
    });
    await post(url, request);
    expect(await finished(url, request.task_id)).toMatchObject({
      error: null,
      progress: 100,
      rows_read: ROWS,
      filtered: FILTERED,
      targets: [{ indexed: ROWS - FILTERED - REFUSED, superseded: 0, dead_letters: REFUSED }],
      settled_through: String(ROWS * 7 - 70_000),
    });
    expect(await countOf(target.index)).toBe(ROWS - FILTERED - REFUSED);
    expect(await countOf(`${target.index}-dead-letters`)).toBe(REFUSED);
    const letter = await search<{ _source: unknown }>('GET', `/${target.index}-dead-letters/_doc/-69993`);
    expect(letter._source).toMatchObject({
      id: -69_993,
      type: expect.any(String),
      fields: { rank: 'first' },
    });
  });

  it.skipIf(searchUrl === null)('reads exactly its range, and the same rows again without harm', async () => {
    const { url, digest } = await startWorker();
    const target = await createTarget();
    const range = {
      definition: 'places',
      definition_digest: digest,
      targets: [target],
      start_index: '-14',
      end_index: '7',
    };
    for (const attempt of [1, 2]) {
      const request = taskRequest({ ...range, task_id: `task-${attempt}`, attempt });
      await post(url, request);
      expect(await finished(url, request.task_id)).toMatchObject({
        rows_read: 3,
        filtered: 1,
        targets: [{ indexed: 2 }],
        settled_through: '0',
      });
    }
    expect(await countOf(target.index)).toBe(2);
  });

  it.skipIf(searchUrl === null)(
    'stops with the words of the cluster at a write block, and at an alias that is gone',
    async () => {
      const { url, digest } = await startWorker();
      const target = await createTarget();
      const whole = {
        definition: 'places',
        definition_digest: digest,
        targets: [target],
        start_index: null,
        end_index: null,
      };
      await search('PUT', `/${target.index}/_block/write`);
      await post(url, taskRequest({ ...whole, task_id: 'blocked' }));
      expect((await finished(url, 'blocked')).error).toMatchObject({
        next: 'stop',
        type: 'cluster_block_exception',
      });
      const remove = { index: target.index, alias: target.write_alias };
      await search('POST', '/_aliases', { actions: [{ remove }] });
      await post(url, taskRequest({ ...whole, task_id: 'gone' }));
      expect((await finished(url, 'gone')).error).toMatchObject({
        next: 'stop',
        type: 'index_not_found_exception',
      });
      expect(await countOf(target.index)).toBe(0);
    },
  );
});
