import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { resultOf } from '../support/run-command.ts';
import { sql } from '../support/run-documents.ts';
import { SEARCH_URL, setUpRun } from '../support/run-setup.ts';
import { call } from '../support/search-calls.ts';

/** Only a real cluster has templates, cuts numbers, and writes parameters back by itself. */
describe.skipIf(inject('searchUrl') === null)('a whole run on OpenSearch', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    await sql(
      database.url,
      `CREATE TABLE books (id int PRIMARY KEY, title text, price numeric, born text);
       INSERT INTO books SELECT n, 'book ' || n, n + 0.5, CASE WHEN n % 50 = 0 THEN 'n/a' ELSE '2024-01-01' END FROM generate_series(1, 500) n;
       ANALYZE books`,
    );
  });
  afterAll(() => database.drop());
  const books = (document: Record<string, unknown>) => ({
    databaseUrl: database.url,
    definition: { source: { table: 'books', key: 'id' }, document },
  });

  it('ends before a row is read if a template makes the index drop values, and leaves nothing behind', async (scope) => {
    const setup = await setUpRun(scope, books({ born: { sql: 'books.born', mapping: { type: 'date' } } }));
    const path = `/_index_template/${setup.alias}-template`;
    scope.onTestFinished(async () => void (await call(SEARCH_URL, 'DELETE', path)));
    await call(SEARCH_URL, 'PUT', path, {
      index_patterns: [`${setup.alias}-2*`],
      priority: 500,
      template: { settings: { 'index.mapping.ignore_malformed': true } },
    });
    const { code, stderr } = await setup.run('run');
    expect(code).toBe(1);
    expect(stderr).toContain('index.mapping.ignore_malformed: true (the index drops values');
    expect(stderr).toContain(`${setup.alias}-2*`);
    expect(await setup.indexes()).toEqual([]);
    expect(await setup.served()).toEqual([]);
  });

  it('is refused if the cluster cuts the values of a field, and the words name the field and say that keys agree', async (scope) => {
    const setup = await setUpRun(
      scope,
      books({
        price: {
          sql: `jsonb_build_object('amount', books.price)`,
          mapping: { type: 'object', properties: { amount: { type: 'integer' } } },
        },
      }),
    );
    const { code, stderr } = await setup.run('run');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /field price[.a-z]*: .* does not find the document by this value in a field of type integer/,
    );
    expect(stderr).toMatch(/as expected, but samples differ/);
    expect(await setup.served()).toEqual([]);
  });

  it('promotes fields for which the cluster writes back more than was asked for', async (scope) => {
    const setup = await setUpRun(
      scope,
      books({
        suggested: { sql: 'books.title', mapping: { type: 'completion' } },
        typed: { sql: 'books.title', mapping: { type: 'search_as_you_type' } },
      }),
    );
    const result = resultOf(await setup.run('run'));
    expect(result).toMatchObject({ targets: [{ validated: { documents: 500 } }] });
    expect((await setup.indexes()).filter((index) => index.endsWith('-scratch'))).toEqual([]);
    expect(await setup.served()).toHaveLength(1);
  });
});
