import { afterAll, beforeAll, expect, inject } from 'vitest';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { stateOfHolder } from '../../orchestrator/journal/holder.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import { unfinishedClaim } from '../../orchestrator/run/choose-run.ts';
import { type CrashPoint, pointWords } from './crash-points.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { documentsInTable, documentsOf, sql } from './run-documents.ts';
import { type SearchProxy, startProxy } from './run-proxy.ts';
import { type RunSetup, setUpRun, type TestScope } from './run-setup.ts';
import { call } from './search-calls.ts';
import { onlyTarget } from './run-values.ts';

/** A small run of one worker over a proxy, beside the index of an earlier run that the alias serves. */
export interface CrashWorld {
  readonly setup: RunSetup;
  readonly proxy: SearchProxy;
  readonly searchUrl: string;
  /** What the alias serves at first. */
  readonly earlier: string;
  /** What the table holds, as the index must hold it. */
  readonly documents: Readonly<Record<string, unknown>>;
}

const TABLE = `CREATE TABLE few (id int PRIMARY KEY, name text);
  INSERT INTO few SELECT n, 'place ' || n FROM generate_series(1, 40) n; ANALYZE few`;
const DOCUMENTS = "SELECT id::text, json_build_object('id', id, 'name', name)::text AS document FROM few";

/** Worlds over one table for a file's tests. */
export function crashWorlds(): {
  open(scope: TestScope, searchUrl: string, retain?: number): Promise<CrashWorld>;
} {
  let database: TestDatabase | null = null;
  let documents: CrashWorld['documents'] = {};
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    await sql(database.url, TABLE);
    documents = await documentsInTable(database.url, DOCUMENTS);
  });
  afterAll(() => database?.drop());
  return {
    open: async (scope, searchUrl, retain = 0) => {
      const proxy = await startProxy(scope, searchUrl);
      const setup = await setUpRun(scope, {
        databaseUrl: database?.url ?? '',
        searchUrl,
        journalFaults: true,
        definition: { source: { table: 'few', key: 'id' }, document: { name: 'few.name' }, retain },
        settings: {
          target: { url: proxy.url },
          workers: { count: 1 },
          local: { poll_interval_ms: 30 },
          ranges: { count: 2 },
        },
      });
      return { setup, proxy, searchUrl, documents, earlier: await serveEarlier(searchUrl, setup.alias) };
    },
  };
}

/** Makes an index by hand as an earlier run leaves it. This is much faster than a run. */
async function serveEarlier(searchUrl: string, alias: string): Promise<string> {
  const index = `${alias}-20260101000000-0000`;
  const meta = {
    schema: 1,
    fleet: alias,
    run: '20260101000000-0000',
    run_key: 'earlier',
    alias,
    definition: 'places',
    definition_digest: '',
    role: 'target',
    created_at: '2026-01-01T00:00:00.000Z',
    promoted_at: '2026-01-01T00:01:00.000Z',
  };
  await call(searchUrl, 'PUT', `/${index}`, {
    settings: { number_of_replicas: 0 },
    mappings: { _meta: { reindex_fleet: meta } },
    aliases: { [alias]: {} },
  });
  return index;
}

/**
 * Expects that nothing works on the fleet, and that nothing holds it or its alias. A killed process may have left its
 * lock, which stops nobody.
 */
export async function expectFree({ setup, searchUrl }: CrashWorld): Promise<void> {
  const store = openFileStore(setup.journal);
  expect(await unfinishedClaim(store)).toBeNull();
  const left = await currentHolder(store);
  expect(left === null ? 'dead' : await stateOfHolder(left.holder)).toBe('dead');
  expect(await setup.workers()).toEqual([]);
  const aliasClaim = await call(searchUrl, 'GET', `/${setup.alias}-claims/_doc/claim`);
  expect(aliasClaim.status, 'a claim on the alias is left').toBe(404);
}

/** Expects that the alias serves one index of one run, that it holds what the table holds, and that nothing else is left. */
export async function expectWhole(
  world: CrashWorld,
  result: Readonly<Record<string, unknown>>,
): Promise<void> {
  const index = String(onlyTarget(result)['index']);
  expect(result).toMatchObject({ status: 'done', targets: [{ indexed: 40, dead_letters: 0 }] });
  expect(await world.setup.served()).toEqual([index]);
  expect(await world.setup.indexes()).toEqual([index, `${index}-dead-letters`]);
  expect(await documentsOf(index, world.searchUrl)).toEqual(world.documents);
  await expectFree(world);
}

/** A scope of its own for one of many tries within a test. */
export async function within<T>(work: (scope: TestScope) => Promise<T>): Promise<T> {
  const cleanings: (() => Promise<void>)[] = [];
  try {
    return await work({ onTestFinished: (clean) => void cleanings.unshift(clean) });
  } finally {
    for (const clean of cleanings) await clean();
  }
}

/** Tries each point, two at a time. Returns what went wrong at which point. */
export async function tryAll(
  points: readonly CrashPoint[],
  attempt: (point: CrashPoint) => Promise<void>,
): Promise<string[]> {
  const rest = [...points];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let point = rest.shift(); point !== undefined; point = rest.shift()) {
      const words = pointWords(point);
      await attempt(point).catch((error: unknown) => void failures.push(`${words}: ${String(error)}`));
    }
  };
  await Promise.all([work(), work()]);
  return failures;
}
