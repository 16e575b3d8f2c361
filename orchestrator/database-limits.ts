import { type ClientBase, DatabaseError } from 'pg';
import { saidByFunction } from '../definition/database-words.ts';
import type { ReadingLimits } from '../definition/reading-session.ts';
import { Overdue, RunFailed } from './errors.ts';

/**
 * Limits of the database that end a statement although the transaction stands above those of its role. The message names
 * the limit, the role and the statement, and says what to do.
 */

interface KnownLimit {
  /** The setting, or what acted in its place. */
  readonly limit: string;
  readonly wayOut: string;
  /** Whether it passes by itself. */
  readonly passes: boolean;
}

const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';

/** By SQLSTATE. Source: PostgreSQL's manual, "PostgreSQL Error Codes". */
const LIMITS: Readonly<Record<string, KnownLimit>> = {
  '25P03': {
    limit: 'idle_in_transaction_session_timeout',
    wayOut: 'Find out what keeps this machine or the network busy.',
    passes: true,
  },
  '25P04': {
    limit: 'transaction_timeout',
    wayOut: 'ALTER ROLE … SET transaction_timeout = 0, and the same in a pooler that sets it.',
    passes: false,
  },
  '40001': {
    limit: 'max_standby_streaming_delay (a conflict with recovery)',
    wayOut: 'Raise it on the replica, set hot_standby_feedback = on, or read from the primary.',
    passes: true,
  },
  '53100': { limit: "the server's disk", wayOut: 'Make room for temporary files.', passes: false },
  '53200': { limit: "the server's memory", wayOut: 'Lower work_mem of the role, or wait.', passes: true },
  '53400': {
    limit: 'temp_file_limit',
    wayOut: 'A superuser raises it (ALTER ROLE … SET temp_file_limit = -1), or raise work_mem of the role.',
    passes: false,
  },
  '57P05': {
    limit: 'idle_session_timeout',
    wayOut: 'ALTER ROLE … SET idle_session_timeout = 0.',
    passes: true,
  },
};

const STATEMENT_LENGTH = 160;

/** What was done when a statement ended. */
export interface LimitedStatement {
  readonly client: ClientBase;
  readonly limits: ReadingLimits;
  /** The statement, or what it was for. */
  readonly what: string;
}

/**
 * The failure for an error by which the database ended a statement for a limit. The transaction must be over, because the
 * database is asked for the role, and for who holds a lock. Any other error is given back as it is.
 */
export async function limitFailure(error: unknown, statement: LimitedStatement): Promise<unknown> {
  if (!(error instanceof DatabaseError) || saidByFunction(error)) return error;
  const { client, limits, what } = statement;
  const began = `${inOneLine(what)}: ${error.message}`;
  if (error.code === LOCK_NOT_AVAILABLE) {
    const holders = await lockHolders(client);
    const by = holders.length === 0 ? '' : ` (${holders.join('; ')})`;
    const message = `${began}. A statement stood behind a lock for ${limits.lockTimeoutMs} ms (lock_timeout, role ${await roleOf(client)})${by}. End what holds the lock, such as an ALTER TABLE or a TRUNCATE, and give the same command again.`;
    return new Overdue(message, { cause: error });
  }
  if (error.code === QUERY_CANCELED) {
    const message = `${began} (role ${await roleOf(client)}). The limit that stands here is statement_timeout = ${limits.statementTimeoutMs} ms, whatever the role's own is. If less time went by, a person or a pooler ended the statement (pg_cancel_backend, query_timeout): let it run. If not, give the statement an index, or read from a database that is less busy.`;
    return new RunFailed(message, { cause: error });
  }
  const known = LIMITS[error.code ?? ''];
  if (known === undefined) return error;
  const message = `${began}. The limit is ${known.limit}, for the role ${await roleOf(client)}. ${known.wayOut}`;
  return known.passes ? new Overdue(message, { cause: error }) : new RunFailed(message, { cause: error });
}

function inOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= STATEMENT_LENGTH ? line : `${line.slice(0, STATEMENT_LENGTH)}…`;
}

/** The role of the session. A session that is over cannot say it. */
async function roleOf(client: ClientBase): Promise<string> {
  try {
    const { rows } = await client.query<{ role: string }>('SELECT current_user AS role');
    return rows[0]?.role ?? UNKNOWN_ROLE;
  } catch {
    return UNKNOWN_ROLE;
  }
}

const UNKNOWN_ROLE = 'of source.url';

/** Who has, or waits for, a lock that lets nobody read. The text of their statements is left out: it may hold values. */
async function lockHolders(client: ClientBase): Promise<string[]> {
  try {
    const { rows } = await client.query<{ holder: string }>(LOCK_HOLDERS);
    return rows.map(({ holder }) => holder);
  } catch {
    return [];
  }
}

const LOCK_HOLDERS = `
  SELECT format('process %s of the role %s %s %s', l.pid, coalesce(usename, '?'),
    CASE WHEN granted THEN 'holds' ELSE 'waits for' END, l.relation::regclass) AS holder
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = l.relation)
  ORDER BY granted DESC, l.pid LIMIT 3`;
