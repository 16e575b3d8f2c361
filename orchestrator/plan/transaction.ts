import { type ClientBase, DatabaseError, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { beginReading } from '../../definition/reading-session.ts';
import { limitFailure } from '../database-limits.ts';
import { Overdue } from '../errors.ts';

const QUERY_CANCELED = '57014';

/** Names the work in a transaction for its error, and limits the time of each statement. */
export interface ReadOnlyWork {
  readonly what: string;
  readonly statementTimeoutMs: number;
}

/**
 * Runs `work` in a transaction that changes nothing: read-only, with one snapshot and a time limit for each statement.
 * Rows that row-level security would silently leave out are an error.
 */
export async function inReadOnlyTransaction<T>(
  client: ClientBase,
  { what, statementTimeoutMs }: ReadOnlyWork,
  work: () => Promise<T>,
): Promise<T> {
  // A wait behind a lock ends first, because its error says more.
  const limits = { statementTimeoutMs, lockTimeoutMs: Math.ceil(statementTimeoutMs / 2) };
  try {
    await client.query(beginReading(limits));
    const result = await work();
    await rollBack(client);
    return result;
  } catch (error) {
    await rollBack(client);
    if (!(error instanceof DatabaseError) || error.code !== QUERY_CANCELED)
      throw await limitFailure(error, { client, limits, what });
    const message = `${what}: a statement took longer than ${statementTimeoutMs} ms. Find out what keeps the database busy, and try again.`;
    throw new Overdue(message, { cause: error });
  }
}

/** A lost connection has nothing to roll back, and its own error is already on its way. */
async function rollBack(client: ClientBase): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined);
}

export type Attempt<R extends QueryResultRow> =
  | { readonly result: QueryResult<R>; readonly error: null }
  | { readonly result: null; readonly error: DatabaseError };

/** Runs a statement that may fail without ending the transaction. An error that ends the connection is thrown. */
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

/** The extended protocol takes one statement only. So an expression with a `;` in it cannot begin a second one. */
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
