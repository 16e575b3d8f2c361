import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResult } from 'pg';
import { createTestDatabase, withDatabase } from '../support/database.ts';
import { startOwnSearchNode } from '../support/own-search-node.ts';
import { call } from '../support/search-calls.ts';
import { startAnsweringProxy } from './answering-proxy.ts';
import { startBuild } from './build-command.ts';
import type { Stage } from './case.ts';
import { changedDeeply, usualSettings } from './usual-settings.ts';

/** What all cases share: the servers, and the build that is tried. */
export interface Theatre {
  /** A database whose user may make others. */
  readonly postgresUrl: string;
  readonly searchUrl: string;
  /** The file that starts the command line of the build under test. */
  readonly main: string;
}

export interface SetStage extends Stage {
  /** Ends all that the case started, and removes all that it made. */
  clear(): Promise<void>;
}

/** Makes a stage for one case. */
export async function setStage({ postgresUrl, searchUrl, main }: Theatre, prefix: string): Promise<SetStage> {
  const alias = `${prefix}_${randomBytes(4).toString('hex')}`;
  const steps: (() => Promise<unknown>)[] = [];
  const clear = async (): Promise<void> => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-case-'));
    steps.push(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'definitions'));
    steps.push(() => removeRoles(postgresUrl, alias));
    const database = await createTestDatabase(postgresUrl);
    steps.push(() => database.drop());
    const client = new Client({ connectionString: database.url });
    client.on('error', () => undefined); // A query tells of it.
    await client.connect();
    steps.push(() => client.end());
    steps.push(() => removeFromNode(searchUrl, alias));
    const usual = usualSettings({ alias, databaseUrl: database.url, searchUrl });
    const write = async (path: string, text: string): Promise<string> => {
      await writeFile(path, text);
      return path;
    };
    const settings: Stage['settings'] = (change = {}) =>
      write(join(folder, 'reindex-fleet.yaml'), JSON.stringify(changedDeeply(usual, change), null, 2));
    await settings();
    return {
      databaseUrl: database.url,
      searchUrl,
      alias,
      folder,
      sql: async (text) => lastRows(await client.query(text)),
      search: (method, path, body) => call(searchUrl, method, path, body),
      definition: (yaml, name = 'case') => write(join(folder, 'definitions', `${name}.yaml`), yaml),
      settings,
      command: (...args) => {
        const { child, ended } = startBuild(main, folder, args);
        steps.push(async () => {
          child.kill('SIGKILL');
          await ended;
        });
        return ended;
      },
      proxy: async (answer) => {
        const proxy = await startAnsweringProxy(searchUrl, answer);
        steps.push(() => proxy.stop());
        return proxy.url;
      },
      ownNode: async () => {
        const node = await startOwnSearchNode();
        steps.push(() => node.stop());
        return node.url;
      },
      clear,
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

/** Several statements give a list of results. */
function lastRows(result: QueryResult | QueryResult[]): Record<string, unknown>[] {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return (last?.rows ?? []) as Record<string, unknown>[];
}

async function removeRoles(postgresUrl: string, alias: string): Promise<void> {
  await withDatabase({ url: postgresUrl }, async (client) => {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('DROP ROLE %I', rolname) AS statement FROM pg_roles WHERE starts_with(rolname, $1)`,
      [alias],
    );
    for (const { statement } of rows) await client.query(statement);
  });
}

/** A case's names begin with its alias. A kind of thing that the node does not know is passed over. */
async function removeFromNode(searchUrl: string, alias: string): Promise<void> {
  await call(searchUrl, 'DELETE', `/_data_stream/${alias}*`);
  const { body } = await call(searchUrl, 'GET', `/${alias}*?expand_wildcards=all`);
  for (const index of Object.keys(body).filter((name) => name.startsWith(alias)))
    await call(searchUrl, 'DELETE', `/${index}`);
  for (const kind of ['_index_template', '_component_template', '_template', '_ingest/pipeline'])
    await call(searchUrl, 'DELETE', `/${kind}/${alias}*`);
}
