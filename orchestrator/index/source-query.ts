import type { ClientBase, QueryArrayResult, QueryResultRow } from 'pg';
import { beginReading, type ReadingLimits } from '../../definition/reading-session.ts';
import { limitFailure } from '../database-limits.ts';

/** Does some work with a client of the source and returns the client. Each call may use another client. */
export type UseClient = <T>(work: (client: ClientBase) => Promise<T>) => Promise<T>;

/**
 * A count of the whole table may take hours where workers read ranges of it. Nobody reads on behind the last row here, as
 * workers do. So the time of a statement is long, and that behind a lock is theirs.
 */
const LIMITS: ReadingLimits = { statementTimeoutMs: 6 * 60 * 60_000, lockTimeoutMs: 30_000 };

/**
 * Runs one statement on the source in the transaction that the workers read in. So a condition or value that depends on
 * the time zone says the same here. The transaction is short, so no snapshot is held between statements. An error of a
 * limit names the limit (see `limitFailure`).
 */
export async function querySource<R extends QueryResultRow>(
  client: ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  return inReading(client, text, async () => (await client.query<R>(text, [...values])).rows);
}

/** Like `querySource`, but rows are arrays of texts. Expressions may share a name. */
export async function querySourceRows(
  client: ClientBase,
  text: string,
  values: readonly unknown[],
): Promise<(string | null)[][]> {
  return inReading(client, text, async () => {
    const result: QueryArrayResult<(string | null)[]> = await client.query({
      text,
      values: [...values],
      rowMode: 'array',
    });
    return result.rows;
  });
}

async function inReading<T>(client: ClientBase, text: string, work: () => Promise<T>): Promise<T> {
  try {
    await client.query(beginReading(LIMITS));
    const result = await work();
    await client.query('ROLLBACK');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // A lost connection has nothing to roll back.
    throw await limitFailure(error, { client, limits: LIMITS, what: text });
  }
}
