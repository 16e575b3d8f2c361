import { afterAll, beforeAll, expect, inject } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import { describedDigest } from '../../definition/digest.ts';
import { loadDefinitions } from '../../definition/load.ts';
import type { TaskRequest, TaskStatus, TaskTarget } from '../../worker/contract.ts';
import { createTestDatabase, type TestDatabase, withDatabase } from './database.ts';
import { createGate, createGateFunction, type Gate } from './run-gate.ts';
import { bulk, call, uniqueName } from './search-calls.ts';
import { callerOf, type WorkerCaller } from './worker-caller.ts';
import { createTarget } from './worker-places.ts';
import { definitionFolders, type WorkerProcess, workerProcesses } from './worker-process.ts';
import { taskRequest } from './worker-service.ts';

/** Rows of `articles`, with the keys from 1 on. */
export const ROWS = 6_000;
/** This row's body breaks its evaluation; the index of shown articles takes the row, and leaves the body out. */
const BROKEN = 778;
/** So does this one's, which the index of all articles leaves out: nobody evaluates it. */
const BROKEN_AND_LEFT_OUT = 770;
/** In the index of shown articles stands a newer version of this row. */
export const NEWER = 5;

/** The index of all articles leaves these out. */
const isLeftOut = (id: number): boolean => id % 10 === 0;
const isShown = (id: number): boolean => id % 3 !== 0;
/** The mapping of the index of all articles refuses these. */
const isRefused = (id: number): boolean => id % 1_000 === 1;

/** The outcomes of the rows from `first` up to and including `last`. A status must say the same. */
export function outcomesOf(last: number, first = 1) {
  const ids = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  const readable = ids.filter((id) => id !== BROKEN);
  const broken = ids.length - readable.length;
  const count = (wanted: (id: number) => boolean): number => readable.filter(wanted).length;
  return {
    rows_read: ids.length,
    filtered: count((id) => isLeftOut(id) && !isShown(id)),
    targets: [
      {
        indexed: count((id) => !isLeftOut(id) && !isRefused(id)),
        superseded: 0,
        filtered: count(isLeftOut),
        dead_letters: broken + count(isRefused),
      },
      {
        indexed: count((id) => isShown(id) && id !== NEWER),
        superseded: count((id) => id === NEWER),
        filtered: count((id) => !isShown(id)),
        dead_letters: broken,
      },
    ],
  };
}

export type Outcomes = ReturnType<typeof outcomesOf>;

/** The outcomes of settled rows, as a status says them. */
export function settledOf({ rows_read, filtered, targets }: TaskStatus): Outcomes {
  const counts = targets.map(({ indexed, superseded, filtered: left, dead_letters }) => ({
    indexed,
    superseded,
    filtered: left,
    dead_letters,
  }));
  return { rows_read, filtered, targets: counts };
}

const TABLE = `
  CREATE TABLE articles (id bigint PRIMARY KEY, title text, body text, rank text, changed timestamptz, shown boolean, broken boolean);
  INSERT INTO articles
    SELECT n, 'article ' || n, repeat('words ', n % 30), CASE WHEN n % 1000 = 1 THEN 'first' ELSE n::text END,
      timestamptz '2024-01-01' + n * interval '1 second', n % 3 <> 0, n IN (${BROKEN}, ${BROKEN_AND_LEFT_OUT})
    FROM generate_series(1, ${ROWS}) n;
  ANALYZE articles;`;

const BODY = `CASE WHEN articles.broken THEN (1 / (articles.id - articles.id))::text ELSE articles.body END`;

function definitionTexts(gate: Gate | undefined) {
  const source = (where?: string): string =>
    `source: { table: public.articles, key: id, changed_at: articles.changed${where === undefined ? '' : `, where: "${where}"`} }`;
  const title = 'title: articles.title';
  const body = `body: "${BODY}"`;
  const rank = (type: string): string => `rank: { sql: articles.rank, mapping: { type: ${type} } }`;
  const passed = `passed: "${gate === undefined ? 'true' : gate.expression}"`;
  const text = (...lines: string[]): string => `${lines.join('\n')}\n`;
  return {
    articles: text(source(), 'document:', `  ${title}`, `  ${body}`, `  ${rank('long')}`, `  ${passed}`),
    all: text(
      source('articles.id % 10 <> 0'),
      'dead_letters: { keep_fields: [rank] }',
      'document:',
      `  ${title}`,
      `  ${body}`,
      `  ${rank('long')}`,
      `  ${passed}`,
    ),
    shown: text(source('articles.shown'), 'document:', `  ${rank('keyword')}`, `  ${title}`),
  };
}

/** Names of the two targets, all articles first. */
export type ArticleTargets = readonly [TargetNames, TargetNames];
type TargetNames = Awaited<ReturnType<typeof createTarget>>;

/** A worker process with the definitions `articles` (the reading), `all` and `shown` (the targets). */
export interface ArticlesWorker extends WorkerCaller {
  readonly process: WorkerProcess;
  readonly digests: Readonly<Record<'articles' | 'all' | 'shown', string>>;
  task(targets: ArticleTargets, changes?: Partial<TaskRequest>): TaskRequest;
}

export interface Articles {
  readonly databaseUrl: () => string;
  /** Makes both indexes with their companions, and the newer version in the second. */
  readonly createTargets: () => Promise<ArticleTargets>;
  readonly startWorker: (gate?: Gate) => Promise<ArticlesWorker>;
  /** The gate stops the rows after this one. */
  readonly createGate: (row: number) => Promise<Gate>;
  readonly countOf: (index: string) => Promise<number>;
}

/** Makes the table `articles` in a database of its own, for the tests of one file with a search node. */
export function articles(searchUrl: string): Articles {
  const start = workerProcesses();
  const writeDefinitions = definitionFolders();
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    await withDatabase(database, (client) => client.query(TABLE));
    await createGateFunction(database.url);
  });
  afterAll(() => database.drop());
  return {
    databaseUrl: () => database.url,
    createTargets: () => createTargets(searchUrl),
    createGate: (row) => createGate(database.url, 'articles.id', row),
    countOf: async (index) => {
      await call(searchUrl, 'POST', `/${index}/_refresh`);
      return (await call(searchUrl, 'GET', `/${index}/_count`)).body['count'] as number;
    },
    startWorker: async (gate) => {
      const { articles: reading, ...targets } = definitionTexts(gate);
      const folder = await writeDefinitions('articles', reading, targets);
      const process = start({
        REINDEX_WORKER_ID: 'worker-1',
        REINDEX_WORKER_PORT: '0',
        REINDEX_WORKER_DATABASE_URL: database.url,
        REINDEX_WORKER_SEARCH_URL: searchUrl,
        REINDEX_WORKER_DEFINITIONS: folder,
      });
      const digests = await digestsOf(folder, database);
      const url = await process.listening();
      return {
        ...callerOf(url),
        process,
        digests,
        task: (names, changes = {}) =>
          taskRequest({
            definition: 'articles',
            definition_digest: digests.articles,
            targets: names.map(
              (name, i): TaskTarget => ({
                kind: 'bulk',
                definition: i === 0 ? 'all' : 'shown',
                definition_digest: i === 0 ? digests.all : digests.shown,
                ...name,
              }),
            ),
            start_index: null,
            end_index: null,
            ...changes,
          }),
      };
    },
  };
}

async function createTargets(searchUrl: string): Promise<ArticleTargets> {
  const title = { type: 'keyword' };
  const [all, shown] = [uniqueName('all'), uniqueName('shown')];
  const both: ArticleTargets = [
    await createTarget(searchUrl, all, {
      title,
      body: { type: 'text' },
      rank: { type: 'long' },
      passed: { type: 'boolean' },
    }),
    await createTarget(searchUrl, shown, { title, rank: { type: 'keyword' } }),
  ];
  const version = Date.UTC(2100, 0, 1) * 1_000;
  const written = await bulk(searchUrl, both[1].write_alias, [
    { index: { _id: String(NEWER), version, version_type: 'external_gte' } },
    { id: NEWER, title: 'newer' },
  ]);
  expect(written).toMatchObject([{ status: 201 }]);
  return both;
}

async function digestsOf(folder: string, database: TestDatabase): Promise<ArticlesWorker['digests']> {
  const definitions = await loadDefinitions(folder);
  return withDatabase(database, async (client) => {
    const digests: Record<string, string> = {};
    for (const definition of definitions)
      digests[definition.name] = describedDigest(await describeDefinition(client, definition));
    const { articles: reading = '', all = '', shown = '' } = digests;
    return { articles: reading, all, shown };
  });
}
