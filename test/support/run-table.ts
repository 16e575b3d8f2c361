import { afterAll, beforeAll, inject } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { sql } from './run-documents.ts';
import { createGate, createGateFunction } from './run-gate.ts';
import type { TestScope } from './run-setup.ts';

/** Of the table `places`, with keys from 1 on. */
export const ROWS = 2_000;

/**
 * Makes a database with the table `places (id, name, changed_at)` for the tests of one file. `url()` works while they run. All
 * rows have about the same size, so all ranges have about the same number of rows.
 */
export function placesDatabase(): { url(): string } {
  let database: TestDatabase | null = null;
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    await createGateFunction(database.url);
    await sql(
      database.url,
      `CREATE TABLE places (id int PRIMARY KEY, name text, changed_at timestamptz NOT NULL DEFAULT now());
       INSERT INTO places SELECT n, 'place ' || to_char(n, 'FM0000') FROM generate_series(1, ${ROWS}) n; ANALYZE places`,
    );
  });
  afterAll(() => database?.drop());
  return {
    url: () => {
      if (database === null) throw new Error('The database is there in tests and hooks only.');
      return database.url;
    },
  };
}

/** The table `places` as an index. */
export const PLACES = { source: { table: 'places', key: 'id' }, document: { name: 'places.name' } };

/** The table `places` as an index, with a gate after half of its rows. The gate is open at first. */
export async function gatedPlaces(scope: TestScope, databaseUrl: string) {
  const gate = await createGate(databaseUrl, 'places.id', ROWS / 2);
  scope.onTestFinished(() => gate.close());
  return { gate, definition: { ...PLACES, document: { ...PLACES.document, passed: gate.expression } } };
}
