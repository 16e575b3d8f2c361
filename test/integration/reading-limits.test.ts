import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import { beginReading } from '../../definition/reading-session.ts';
import { limitFailure } from '../../orchestrator/database-limits.ts';
import { Overdue, RunFailed } from '../../orchestrator/errors.ts';
import { openValidationSource } from '../../orchestrator/index/postgresql-source.ts';
import { inReadOnlyTransaction } from '../../orchestrator/plan/transaction.ts';
import { DEFAULT_SESSION_LIMITS, withSession } from '../../worker/source/session.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { uniqueName } from '../support/search-calls.ts';

const ROLE = uniqueName('limited').replaceAll('-', '_');
const OPEN = { start: null, end: null };
/** What a role, a database or a server may have by default, and what a reading transaction says in its place. */
const DEFAULTS: readonly (readonly [setting: string, ofRole: string, whileReading: string])[] = [
  ['statement_timeout', '300ms', '7s'],
  ['lock_timeout', '1ms', '8s'],
  ['idle_in_transaction_session_timeout', '5ms', '1min'],
  ['transaction_timeout', '400ms', '0'],
  ['default_transaction_isolation', 'serializable', 'repeatable read'],
  ['TimeZone', 'Asia/Tokyo', 'UTC'],
  ['DateStyle', 'SQL, DMY', 'ISO, MDY'],
  ['IntervalStyle', 'iso_8601', 'postgres'],
  ['extra_float_digits', '-3', '1'],
  ['bytea_output', 'escape', 'hex'],
];

describe('a reading transaction of a role with limits and defaults of its own', () => {
  let database: TestDatabase;
  let owner: Client;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    owner = new Client({ connectionString: database.url });
    await owner.connect();
    await owner.query(
      `CREATE ROLE ${ROLE} LOGIN PASSWORD 'secret'; CREATE TABLE slow (id int PRIMARY KEY);
       INSERT INTO slow SELECT generate_series(1, 10); GRANT SELECT ON slow TO ${ROLE}`,
    );
    for (const [setting, value] of DEFAULTS)
      await owner.query(`ALTER ROLE ${ROLE} SET ${setting} = '${value}'`);
    url = Object.assign(new URL(database.url), { username: ROLE, password: 'secret' }).href;
  });
  afterAll(async () => {
    await owner.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
    await owner.end();
    await database.drop();
  });

  async function asRole<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  it.each(DEFAULTS)('does not have the role’s %s', async (setting, _ofRole, whileReading) => {
    const shown = setting === 'default_transaction_isolation' ? 'transaction_isolation' : setting;
    const limits = { statementTimeoutMs: 7_000, lockTimeoutMs: 8_000 };
    const asWorker = await withSession(
      { connectionString: url },
      { ...DEFAULT_SESSION_LIMITS, ...limits },
      new AbortController().signal,
      async (client) => (await client.query(`SHOW ${shown}`)).rows,
    );
    const asOrchestrator = await asRole(async (client) => {
      await client.query(beginReading(limits));
      return (await client.query(`SHOW ${shown}`)).rows;
    });
    expect(Object.values(asWorker[0] as object)).toEqual([whileReading]);
    expect(asOrchestrator).toEqual(asWorker);
  });

  it('lets validation count, list and compare for longer than the role’s own limits', async (scope) => {
    const pool = new Pool({ connectionString: url, max: 1 });
    scope.onTestFinished(() => pool.end());
    const definition = sketchDefinition({
      source: { table: 'slow', where: `pg_sleep(0.05) IS NOT NULL` },
      document: { slept: `pg_sleep(0.05) IS NULL` },
    });
    const source = openValidationSource(
      async (work) => {
        const client = await pool.connect();
        return work(client).finally(() => client.release());
      },
      await describeDefinition(owner, definition),
    );
    expect(await source.count(OPEN)).toEqual({ rows: 10, kept: 10 });
    expect((await Array.fromAsync(source.keys(OPEN))).flat()).toHaveLength(10);
    expect(await source.expectedRows([1n, 2n, 3n, 4n, 5n])).toHaveLength(5);
    expect(await source.placement([OPEN])).toEqual({ rows: 10, placed: 10 });
  });

  it('ends behind a lock after its time, and names table, holder, role and limit', async () => {
    await owner.query('BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE');
    const failure: unknown = await asRole((client) =>
      inReadOnlyTransaction(client, { what: 'Looking at slow', statementTimeoutMs: 200 }, () =>
        client.query('SELECT count(*) FROM slow'),
      ).catch((error: unknown) => error),
    );
    await owner.query('ROLLBACK');
    expect(failure).toBeInstanceOf(Overdue);
    expect((failure as Error).message).toMatch(
      new RegExp(
        `^Looking at slow: .* lock for 100 ms \\(lock_timeout, role ${ROLE}\\) \\(process \\d+ of the role \\S+ holds slow\\)\\. End what holds the lock`,
      ),
    );
  });

  it('that a limit ends all the same says which one, of which role, in which statement, and what to do', async () => {
    await owner.query(`ALTER ROLE ${ROLE} SET temp_file_limit = '64kB'`);
    const limits = { statementTimeoutMs: 50, lockTimeoutMs: 0 };
    const failed = (statement: string): Promise<unknown> =>
      asRole(async (client) => {
        await client.query(
          beginReading({ ...limits, statementTimeoutMs: statement.includes('sleep') ? 50 : 0 }),
        );
        const error: unknown = await client.query(statement).catch((failure: unknown) => failure);
        await client.query('ROLLBACK');
        return limitFailure(error, { client, limits, what: statement });
      });
    const filled = await failed(
      'SELECT count(*) FROM (SELECT n FROM generate_series(1, 2000000) n ORDER BY n::text) AS o',
    );
    expect(filled).toBeInstanceOf(RunFailed);
    expect((filled as Error).message).toMatch(
      new RegExp(
        `^SELECT count.*The limit is temp_file_limit, for the role ${ROLE}\\. A superuser raises it`,
      ),
    );
    const slept = await failed('SELECT pg_sleep(5)');
    expect((slept as Error).message).toMatch(
      new RegExp(`^SELECT pg_sleep\\(5\\): .* \\(role ${ROLE}\\)\\. .*statement_timeout = 50 ms`),
    );
  });
});
