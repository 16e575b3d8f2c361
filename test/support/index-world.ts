import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import type { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { createTarget } from '../../orchestrator/index/create.ts';
import { finalizeTarget } from '../../orchestrator/index/finalize.ts';
import type { TargetNames } from '../../orchestrator/index/names.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import {
  connect,
  createTable,
  describeItems,
  identityOf,
  indexItems,
  itemsDefinition,
} from './index-life.ts';
import { bulk, call } from './search-calls.ts';

export const CLUSTERS = [
  { name: 'development node', url: inject('developmentUrl') },
  { name: 'OpenSearch', url: inject('searchUrl') },
];
export const FINALIZE = {
  healthTimeoutMs: 20_000,
  clock: systemClock,
  signal: new AbortController().signal,
};

/** The table `items` and a cluster. Each test gets new ones. Its indexes are deleted after it. */
export class IndexWorld {
  readonly url: string;
  client!: Client;
  cluster!: SearchCluster;
  definition!: IndexDefinition;
  described!: DescribedDefinition;

  constructor(url: string) {
    this.url = url;
  }

  async redefine(changes: Partial<IndexDefinition>): Promise<void> {
    this.definition = itemsDefinition(changes);
    this.described = await describeItems(this.client, this.definition);
  }

  /** A whole index of what the table holds now, ready for readers. */
  async build(run: string): Promise<TargetNames> {
    const names = await createTarget(this.cluster, this.described, identityOf(run), 1);
    await indexItems(this.url, this.client, names, 1);
    await finalizeTarget(this.cluster, { definition: this.definition, names, pass: 1 }, FINALIZE);
    return names;
  }

  /** Writes a document as another program does after the run. It makes an alias for this. */
  async tamper(index: string, lines: readonly unknown[]): Promise<void> {
    const alias = `${index}-tamper`;
    await call(this.url, 'POST', '/_aliases', { actions: [{ add: { index, alias } }] });
    const outcomes = await bulk(this.url, alias, lines);
    const refused = outcomes.filter(({ error }) => error !== undefined);
    if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
    await call(this.url, 'POST', '/_aliases', { actions: [{ remove: { index, alias } }] });
    await call(this.url, 'POST', `/${index}/_refresh`);
  }
}

/** For the tests of a `describe`; they are skipped where there is no such cluster. */
export function useIndexWorld(url: string | null): IndexWorld {
  const world = new IndexWorld(url ?? '');
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
  });
  afterAll(() => database.drop());
  beforeEach(async ({ skip }) => {
    if (url === null) skip();
    world.client = new Client({ connectionString: database.url });
    await world.client.connect();
    await world.client.query('DROP TABLE IF EXISTS items');
    await createTable(world.client);
    world.cluster = await connect(world.url);
    await world.redefine({});
  });
  afterEach(async () => {
    if (url === null) return;
    const found = await call(url, 'GET', `/${world.definition.alias}*`);
    for (const index of Object.keys(found.body)) await call(url, 'DELETE', `/${index}`);
    await Promise.all([world.cluster.close(), world.client.end()]);
  });
  return world;
}
