import { type ClientBase, DatabaseError, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { PINNED_SETTINGS, setLocal } from '../../definition/sql.ts';
import { Overdue } from '../errors.ts';

const QUERY_CANCELED = '57014';

/** What is done in a transaction, for its error, and how long each of its statements may take. */
export interface ReadOnlyWork {
  readonly what: string;
  readonly statementTimeoutMs: number;
}

/**
 * Runs `work` in a transaction that can change nothing and leaves nothing behind: read-only, one snapshot, a limit on
 * each statement's time, and an error instead of rows that row-level security would leave out in silence.
 */
export async function inReadOnlyTransaction<T>(
  client: ClientBase,
  { what, statementTimeoutMs }: ReadOnlyWork,
  work: () => Promise<T>,
): Promise<T> {
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  try {
    const limits = {
      statement_timeout: String(statementTimeoutMs),
      lock_timeout: String(statementTimeoutMs),
    };
    await client.query(setLocal({ ...PINNED_SETTINGS, ...limits, row_security: 'off' }));
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== QUERY_CANCELED) throw error;
    const message = `${what}: a statement took longer than ${statementTimeoutMs} ms. Look at what the database is busy with, and try again.`;
    throw new Overdue(message, { cause: error });
  } finally {
    // A connection that was lost has nothing left to roll back, and its own error is already on its way.
    await client.query('ROLLBACK').catch(() => undefined);
  }
}

export type Attempt<R extends QueryResultRow> =
  | { readonly result: QueryResult<R>; readonly error: null }
  | { readonly result: null; readonly error: DatabaseError };

/** A statement that may fail without ending the transaction. What ends the connection is thrown as ever. */
export async function attempt<R extends QueryResultRow>(
  client: ClientBase,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Attempt<R>> {
  await client.query('SAVEPOINT attempt');
  try {
    return { result: await querySingle<R>(client, sql, values), error: null };
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.severity !== 'ERROR') throw error;
    return { result: null, error };
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT attempt').catch(() => undefined);
  }
}

/** The extended protocol takes one statement only, so that an expression with a `;` in it can begin no second one. */
interface SingleStatement extends QueryConfig {
  readonly queryMode: 'extended';
}

async function querySingle<R extends QueryResultRow>(
  client: ClientBase,
  text: string,
  values: readonly unknown[],
): Promise<QueryResult<R>> {
  const query: SingleStatement = { text, values: [...values], queryMode: 'extended' };
  return client.query<R>(query);
}
