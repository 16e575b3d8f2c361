import { Client } from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.ts';

/**
 * Gives the tests of a file or a group a database of their own with a connection to it, and removes both at the end.
 *
 * @param begin is called with both before the first test
 */
export function useTestClient(
  begin: (client: Client, database: Pick<TestDatabase, 'url'>) => Promise<unknown>,
): void {
  let database: TestDatabase;
  let client: Client;
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    client = new Client({ connectionString: database.url });
    await client.connect();
    await begin(client, database);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });
}
