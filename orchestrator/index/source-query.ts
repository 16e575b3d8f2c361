import type { ClientBase, QueryArrayResult, QueryResultRow } from 'pg';
import { PINNED_SETTINGS, setLocal } from '../../definition/sql.ts';

/** Does some work with a client of the source and returns the client. Each call may use another client. */
export type UseClient = <T>(work: (client: ClientBase) => Promise<T>) => Promise<T>;

/**
 * Runs one statement on the source under the settings that the workers read with. So a condition or value that depends
 * on the time zone says the same here. The statement has its own short transaction, so no snapshot is held between
 * statements.
 */
export async function querySource<R extends QueryResultRow>(
  client: ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  return inPinnedTransaction(client, async () => (await client.query<R>(text, [...values])).rows);
}

/** Like `querySource`, but rows are arrays of texts. Expressions may share a name. */
export async function querySourceRows(
  client: ClientBase,
  text: string,
  values: readonly unknown[],
): Promise<(string | null)[][]> {
  return inPinnedTransaction(client, async () => {
    const result: QueryArrayResult<(string | null)[]> = await client.query({
      text,
      values: [...values],
      rowMode: 'array',
    });
    return result.rows;
  });
}

async function inPinnedTransaction<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query(`BEGIN READ ONLY; ${setLocal(PINNED_SETTINGS)}`);
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}
