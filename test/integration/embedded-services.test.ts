import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { cacheDirectory } from '../../embedded/cache.ts';
import { processEntry } from '../../embedded/process-table.ts';
import {
  createServiceFolder,
  hasEnded,
  postgresqlPid,
  type ServicesUser,
  startServicesUser,
} from '../support/services.ts';

const cacheDir = cacheDirectory(process.env);
let folder: ReturnType<typeof createServiceFolder>;
let users: ServicesUser[];

beforeEach(() => {
  folder = createServiceFolder();
  users = [];
});

afterEach(async () => {
  await Promise.all(users.map((user) => user.stop()));
  folder.remove();
});

async function use(
  options: { example?: boolean; search?: boolean; cacheDir?: string } = {},
  environment?: NodeJS.ProcessEnv,
) {
  const wanted = {
    cacheDir,
    dataDir: folder.path,
    database: true,
    search: false,
    example: false,
    ...options,
  };
  const user = await startServicesUser(wanted, environment);
  users.push(user);
  return user;
}

async function query(user: ServicesUser, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: user.services.databaseUrl ?? '' });
  await client.connect();
  try {
    const { rows } = await client.query<{ value: unknown }>(sql);
    return rows[0]?.value;
  } finally {
    await client.end();
  }
}

/** The keeper of the test's folder: its lock names it. */
function keeperPid(): number {
  const keeper = join(folder.path, 'keeper');
  const lock = readdirSync(keeper).find((name) => name.startsWith('lock-')) ?? '';
  return (JSON.parse(readFileSync(join(keeper, lock), 'utf8')) as { pid: number }).pid;
}

/** The processes that watch over this one's service. */
function guardsOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const guards = lines.filter((line) => line.includes(`reindex-fleet-guard ${pid} `));
  return guards.map((line) => Number.parseInt(line, 10));
}

describe('the embedded services', () => {
  test('contain the example, loaded once, and end with their only user', async () => {
    const first = await use({ example: true });
    expect(first.services).toMatchObject({ startedHere: true, searchUrl: null });
    expect(first.services.timings.map(({ name }) => name)).toEqual([
      'PostgreSQL started',
      'example data loaded',
    ]);
    expect(await query(first, 'SELECT count(*) AS value FROM cities')).toBe('171075');
    expect(
      await query(
        first,
        'SELECT count(*) AS value FROM cities LEFT JOIN regions ON (cities.country, cities.region) = (regions.country, regions.code) WHERE regions.name IS NULL',
      ),
    ).toBe('384');
    const loadedAt = await query(first, 'SELECT loaded_at::text AS value FROM example_data');
    const server = postgresqlPid(folder.path);
    await first.stop();
    expect(processEntry(server), 'stop() returns after the server has ended').toBeNull();

    const second = await use({ example: true });
    expect(await query(second, 'SELECT loaded_at::text AS value FROM example_data')).toBe(loadedAt);
    expect(second.services.databaseUrl, 'addresses stay the same').toBe(first.services.databaseUrl);
  });

  test('are shared by processes that start at the same time, and end with the last one', async () => {
    const [one, two] = await Promise.all([use(), use()]);
    expect([one, two].filter((user) => user.services.startedHere)).toHaveLength(1);
    expect(one.services.databaseUrl).toBe(two.services.databaseUrl);
    const server = postgresqlPid(folder.path);
    const starter = one.services.startedHere ? one : two;
    const other = starter === one ? two : one;

    await starter.stop();
    expect(await query(other, 'SELECT 1 AS value')).toBe(1);
    await other.stop();
    expect(processEntry(server)).toBeNull();
  });

  test('end when their user is killed', async () => {
    const user = await use();
    const pids = [keeperPid(), postgresqlPid(folder.path)];
    await user.kill();
    expect(await Promise.all(pids.map((pid) => hasEnded(pid)))).toEqual([true, true]);
  });

  test('end when their keeper is killed, and can start again', async () => {
    const user = await use();
    const server = postgresqlPid(folder.path);
    process.kill(keeperPid(), 'SIGKILL');
    expect(await hasEnded(server)).toBe(true);

    const next = await use();
    expect(next.services.startedHere).toBe(true);
    expect(await query(next, 'SELECT 1 AS value')).toBe(1);
    await user.stop();
    expect(await query(next, 'SELECT 1 AS value'), 'the user of the dead keeper has no say').toBe(1);
  });

  test('are ended by the next start when they outlived keeper and guard', async () => {
    await use();
    const orphan = postgresqlPid(folder.path);
    const guards = guardsOf(orphan);
    expect(guards).toHaveLength(1);
    for (const guard of guards) process.kill(guard, 'SIGKILL');
    process.kill(keeperPid(), 'SIGKILL');
    expect(await hasEnded(orphan, 500), 'nobody is left to end it').toBe(false);

    const next = await use();
    expect(processEntry(orphan)).toBeNull();
    expect(await query(next, 'SELECT 1 AS value')).toBe(1);
  });

  test('start although the file of a dead server names a live process', async () => {
    const first = await use();
    const file = join(folder.path, 'postgresql', 'database', 'postmaster.pid');
    const lines = readFileSync(file, 'utf8').split('\n');
    await first.stop();
    // PostgreSQL believes the file only of a process of its own user: another server's is one.
    const other = new Client({ connectionString: inject('postgresUrl') });
    await other.connect();
    const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    writeFileSync(file, [String(rows[0]?.pid), ...lines.slice(1)].join('\n'));
    try {
      expect(await query(await use(), 'SELECT 1 AS value')).toBe(1);
    } finally {
      await other.end();
    }
  });

  test('include the development node, and say why, when Maven cannot be found', async () => {
    const user = await use({ search: true, cacheDir: folder.path }, { ...process.env, PATH: '' });
    expect(user.services).toMatchObject({ searchNode: 'built-in development node' });
    expect(user.services.searchMissing).toContain('Maven (mvn)');
    expect(user.services.progress.join('\n')).toContain('forgets it when it ends');
    const response = await fetch(user.services.searchUrl ?? '');
    expect(await response.json()).toMatchObject({ version: { distribution: 'reindex-fleet-development' } });
  });
});

describe.skipIf(inject('searchUrl') === null)('the embedded OpenSearch', () => {
  test('keeps its indexes from start to start, and ends when its user is killed', {
    tags: 'long',
  }, async () => {
    const first = await use({ search: true });
    const put = await fetch(`${first.services.searchUrl}/kept/_doc/1?refresh=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    expect(put.status).toBe(201);
    await first.stop();

    const second = await use({ search: true });
    expect(second.services.searchUrl).toBe(first.services.searchUrl);
    const document = await fetch(`${second.services.searchUrl}/kept/_doc/1`);
    expect(await document.json()).toMatchObject({ _source: { a: 1 } });
    const { pid } = JSON.parse(readFileSync(join(folder.path, 'opensearch', 'process.json'), 'utf8')) as {
      pid: number;
    };
    await second.kill();
    expect(await hasEnded(pid, 15_000)).toBe(true);
  });
});
