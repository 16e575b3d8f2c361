import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { sql } from '../support/run-documents.ts';
import { isHeld, stateOf } from '../support/run-journal.ts';
import { startProxy } from '../support/run-proxy.ts';
import { type RunSetup, SEARCH_URL, setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { call, uniqueName } from '../support/search-calls.ts';

/** Whatever is wrong is named at once, within seconds, before anything is made. */

const database = placesDatabase();
/** The time that a person waits, and what a busy machine takes to start a process. */
const SOON_SECONDS = 5 + 10;
const NO_SEARCH = 'http://127.0.0.1:1';
const NO_DATABASE = 'postgres://reader@127.0.0.1:1/none';

async function setUp(
  scope: TestScope,
  definition: Readonly<Record<string, unknown>> = PLACES,
): Promise<RunSetup> {
  const settings = { workers: { count: 1 } };
  return setUpRun(scope, { databaseUrl: database.url(), definition, settings });
}

/** Runs a command that must fail with this code, in time, leaving nothing behind; gives what it said. */
async function fails(setup: RunSetup, code: 1 | 2, name: string, ...args: string[]): Promise<string> {
  const ended = await setup.run(name, ...args);
  const said = errorOf(ended, code);
  expect(ended.stdout).toHaveLength(1);
  expect(ended.log.at(-1)).toMatchObject({ msg: said, exit_code: code });
  expect(ended.seconds).toBeLessThan(SOON_SECONDS);
  expect(await setup.indexes()).toEqual([]);
  expect(await isHeld(setup)).toBe(false);
  return said;
}

/** The database with other words in its URL. */
function changed(part: 'username' | 'password' | 'pathname', value: string): string {
  const url = new URL(database.url());
  url[part] = value;
  return url.href;
}

describe.concurrent('a run with something missing', { timeout: 60_000 }, () => {
  it('fails and names a search node where nothing listens', async (scope) => {
    const said = await fails(await setUp(scope), 1, 'run', '--target', NO_SEARCH);
    expect(said).toMatch(/search cluster at http:\/\/127\.0\.0\.1:1: .*nothing listens there/);
  });

  it('fails and names database and search node at once', async (scope) => {
    const said = await fails(await setUp(scope), 1, 'run', '--source', NO_DATABASE, '--target', NO_SEARCH);
    expect(said).toContain('PostgreSQL at 127.0.0.1:1/none');
    expect(said).toContain('search cluster at http://127.0.0.1:1');
  });

  it('fails and names a search node that never answers', async (scope) => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined))).listen(
      0,
      '127.0.0.1',
    );
    await once(silent, 'listening');
    scope.onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const at = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const said = await fails(
      await setUp(scope),
      1,
      'run',
      '--source',
      `postgres://a@${at}/b`,
      '--target',
      `http://${at}`,
    );
    expect(said).toContain(`PostgreSQL at ${at}/b`);
    expect(said).toContain(`search cluster at http://${at}`);
  });

  it('fails and names a database that does not exist', async (scope) => {
    const said = await fails(await setUp(scope), 1, 'run', '--source', changed('pathname', '/nowhere'));
    expect(said).toContain('database "nowhere" does not exist (correct the database’s name in source.url)');
  });

  it('fails and names a definition that does not exist', async (scope) => {
    const said = await fails(await setUp(scope), 2, 'run', '--definition', 'palces');
    expect(said).toMatch(/no definition "palces".*places/);
  });

  it('fails and names a settings file that does not exist', async (scope) => {
    const said = await fails(await setUp(scope), 2, 'run', '--settings', 'nowhere.yaml');
    expect(said).toContain('nowhere.yaml');
  });
});

describe.concurrent('a run that is refused', { timeout: 60_000 }, () => {
  it('fails on a wrong password, and does not show it', async (scope) => {
    const said = await fails(await setUp(scope), 1, 'run', '--source', changed('password', 'wrong-secret'));
    expect(said).toContain('REINDEX_SOURCE_PASSWORD');
    expect(said).not.toContain('wrong-secret');
  });

  it('fails when its role may not read the table', async (scope) => {
    const role = uniqueName('reader').replace('-', '_');
    await sql(database.url(), `CREATE ROLE ${role} LOGIN PASSWORD 'its-own'`);
    scope.onTestFinished(async () => void (await sql(database.url(), `DROP ROLE ${role}`)));
    const url = new URL(changed('username', role));
    url.password = 'its-own';
    const said = await fails(await setUp(scope), 1, 'run', '--source', url.href);
    expect(said).toMatch(
      /places\.yaml:\d+:\d+ source\.table: [Pp]ermission denied for table places.*GRANT SELECT/,
    );
    expect(said).not.toContain('its-own');
  });

  it('fails when it may not create the index, and the same key can be tried again', async (scope) => {
    const proxy = await startProxy(scope, SEARCH_URL);
    const refusal = {
      status: 403,
      type: 'security_exception',
      reason: 'no permissions for [indices:admin/create]',
    };
    proxy.intercept = (method, path) => (method === 'PUT' && !path.includes('/_') ? refusal : null);
    const setup = await setUp(scope);
    const args = ['--run-key', 'k', '--target', proxy.url];

    expect(await fails(setup, 1, 'run', ...args)).toMatch(
      /security_exception.*indices:admin\/create.*permission/,
    );
    expect(await setup.workers()).toEqual([]);
    proxy.intercept = () => null;
    expect(resultOf(await setup.run('run', ...args))).toMatchObject({
      status: 'done',
      run_key: 'k',
      targets: [{ indexed: ROWS }],
    });
    expect((await stateOf(setup))?.result).not.toBeNull();
  });

  it('fails when its alias is a concrete index', async (scope) => {
    const setup = await setUp(scope);
    await call(SEARCH_URL, 'PUT', `/${setup.alias}`, {});
    scope.onTestFinished(async () => void (await call(SEARCH_URL, 'DELETE', `/${setup.alias}`)));
    expect(await fails(setup, 1, 'run')).toContain(`${setup.alias} is an index, not an alias`);
  });
});

describe.concurrent('a command with a mistake', { timeout: 60_000 }, () => {
  it('fails on settings that are not YAML', async (scope) => {
    const setup = await setUp(scope);
    await writeFile(join(setup.folder, 'reindex-fleet.yaml'), 'fleet: places\nsource: [url: }\n');
    expect(await fails(setup, 2, 'run')).toMatch(/reindex-fleet\.yaml:2:\d+: .*not YAML/);
  });

  it('names two faulty settings at once', async (scope) => {
    const setup = await setUp(scope);
    const text = `fleet: Places!\ndefinitions: places.yaml\nsource: { url: "${database.url()}" }\ntarget: { url: embedded }\nworkers:\n  count: none\n`;
    await writeFile(join(setup.folder, 'reindex-fleet.yaml'), text);
    const said = await fails(setup, 2, 'run');
    expect(said).toMatch(/reindex-fleet\.yaml:1:8 fleet: /);
    expect(said).toMatch(/reindex-fleet\.yaml:6:10 workers\.count: /);
  });

  it('names a missing column and a text key at once', async (scope) => {
    await sql(database.url(), 'CREATE TABLE coded (code text PRIMARY KEY, name text)');
    const setup = await setUp(scope, {
      source: { table: 'coded', key: 'code' },
      document: { name: 'coded.nmae' },
    });
    const said = await fails(setup, 1, 'run');
    expect(said).toMatch(/places\.yaml:\d+:\d+ source\.key: .*"code" is of type text/);
    expect(said).toMatch(/places\.yaml:\d+:\d+ document\.name: .*nmae/);
  });

  it.for([
    ['a mistyped flag', 'run', ['--wrokers', '3'], '--workers'],
    ['a mistyped command', 'rnu', [], 'run'],
    ['a limit that is no number', 'promote', ['--promote-limit', 'many'], '--promote-limit'],
    ['an amount that is no number', 'run', ['--max-cost', 'much'], '--max-cost'],
    ['a maximum cost without a price', 'reindex', ['--max-cost', '12.50'], 'price.per_hour'],
    ['a number of workers that is no number', 'run', ['--workers', 'many'], '--workers'],
  ] as const)('says what is wrong with %s', async ([, name, args, expected], scope) => {
    expect(await fails(await setUp(scope), 2, name, ...args)).toContain(expected);
  });

  it.for([
    [
      'settings of an earlier version',
      { aws: { region: 'eu-central-1', group: 'books', price_per_hour: 1 }, journal: { directory: 'here' } },
      [
        /reindex-fleet\.yaml:\d+:\d+ aws\.group: aws\.group is now auto_scaling\.group\./,
        /reindex-fleet\.yaml:\d+:\d+ aws\.price_per_hour: aws\.price_per_hour is now price\.per_hour\./,
        /reindex-fleet\.yaml:\d+:\d+ journal\.directory: journal\.directory is now journal\.url\./,
      ],
    ],
    [
      'a fleet of an unknown kind',
      { nomad: { job: 'books' } },
      [
        /reindex-fleet\.yaml:\d+:\d+ nomad: .* One of these sections says where workers run: local, auto_scaling\./,
      ],
    ],
    [
      'two kinds of fleet at once',
      { local: { poll_interval_ms: 50 }, auto_scaling: { group: 'books' } },
      [/reindex-fleet\.yaml:\d+:\d+ auto_scaling: local and auto_scaling both say where workers run/],
    ],
    [
      'a journal in S3 without a region',
      { journal: { url: 's3://books-journal/reindex-fleet' } },
      [/reindex-fleet\.yaml:\d+:\d+ journal\.url: .* write it, e\.g\. aws: \{ region: eu-central-1 \}/],
    ],
  ] as const)('says what is wrong in a settings file with %s', async ([, settings, expected], scope) => {
    const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings });
    const said = await fails(setup, 2, 'run');
    for (const words of expected) expect(said).toMatch(words);
  });
});
