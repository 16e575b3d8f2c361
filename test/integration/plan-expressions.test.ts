import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CITIES, CITIES_SCHEMA, databaseFaults, definitionText as definition } from '../support/inspected.ts';
import type { TestDatabase } from '../support/database.ts';
import { useTestClient } from '../support/test-client.ts';

let database: Pick<TestDatabase, 'url'>;
let client: Client;
useTestClient(async (opened, own) => {
  client = opened;
  database = own;
  await client.query(CITIES_SCHEMA);
});

function faultsOf(text: string): Promise<string[]> {
  return databaseFaults(client, text);
}

describe('the check of a definition’s joins', () => {
  test.each([
    [
      'a missing table',
      'left: region AS region, on: "true"',
      'joins[0].left: Relation "region" does not exist.',
    ],
    [
      'a missing column',
      'left: regions AS region, on: region.cod = city.region',
      ':1:84 source.joins[0].on: Column region.cod does not exist. Perhaps you meant to reference the column "region.code".',
    ],
    [
      'turns one row into several',
      'left: reviews AS review, on: review.city = city.id',
      'joins[0].on: This join turns one row into several: the key 1501 comes out more than once.',
    ],
    [
      'a join that loses rows',
      'left: regions AS region ON true JOIN reviews AS review, on: review.city = city.id',
      'joins[0].on: This join loses rows.',
    ],
  ])('finds %s', async (_name, join, message) => {
    expect(await faultsOf(definition(`${CITIES}, joins: [{ ${join} }]`))).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test('finds rows that cannot be read', async () => {
    const join = 'left: regions AS region, on: region.code = (100 / (city.id - 3))::text';
    expect(await faultsOf(definition(`${CITIES}, joins: [{ ${join} }]`))).toEqual([
      expect.stringContaining(
        'joins[0].on: A sample of 200 rows could not be read with this setting. division by zero, SQLSTATE 22012.',
      ),
    ]);
  });

  test('does not report faults that follow from a faulty join, and reports all others', async () => {
    const faults = await faultsOf(
      definition(
        `${CITIES}, joins: [{ left: gone AS region, on: "true" }]`,
        '{ region: region.name, name: city.nam }',
      ),
    );
    expect(faults).toEqual([
      expect.stringContaining('joins[0].left'),
      expect.stringContaining('document.name'),
    ]);
  });
});

describe('the check of a definition’s expressions', () => {
  test('names every faulty expression at its line and column, with a hint', async () => {
    const text = [
      'source:',
      '  table: cities',
      '  as: city',
      '  key: id',
      '  where: city.name',
      '  changed_at: city.population',
      '  time_zone: Europe/Berlyn',
      'document:',
      '  name: city.nam',
      '  code: "upper(city.region) || lowr(city.name)"',
      '  long:',
      '    sql: |',
      '      CASE',
      '        WHEN city.population > 1 THEN city.nme',
      '      END',
      '  "": city.id',
    ];
    expect(await faultsOf(text.slice(0, -1).join('\n'))).toEqual([
      'test.yaml:7:14 source.time_zone: The database knows no time zone "Europe/Berlyn". Did you mean "Europe/Berlin"?',
      expect.stringContaining(
        'test.yaml:5:10 source.where: Argument of WHERE must be type boolean, not type text.',
      ),
      'test.yaml:6:15 source.changed_at: This expression is of another type. Write one of type timestamptz (or timestamp).',
      'test.yaml:9:9 document.name: Column city.nam does not exist. Perhaps you meant to reference the column "city.name".',
      expect.stringContaining('test.yaml:10:32 document.code: Function lowr(text) does not exist.'),
      'test.yaml:14:39 document.long.sql: Column city.nme does not exist. Perhaps you meant to reference the column "city.name".',
    ]);
  });

  test.each([
    ['a set of rows', 'unnest(city.tags)', 'gives a set of rows'],
    ['a window function', 'row_number() OVER (ORDER BY city.name)', 'looks at other rows (a window)'],
    ['an aggregate', 'count(*)', 'aggregate child rows in a join'],
    ['two expressions', 'city.id), (city.name', 'These are several expressions'],
    [
      'two statements in one field',
      'city.id), 1; SELECT (1',
      'Cannot insert multiple commands into a prepared statement.',
    ],
    ['nothing but a comment', '-- city.id', 'Syntax error at or near ")"'],
    ['a missing function', 'shout(city.name)', 'Function shout(text) does not exist.'],
    ['a constant that cannot be cast', "'x'::int", 'Invalid input syntax for type integer: "x".'],
  ])('refuses %s', async (_name, sql, message) => {
    const faults = await faultsOf(definition(CITIES, `{ field: ${JSON.stringify(sql)} }`));
    expect(faults).toEqual([expect.stringContaining(message)]);
    expect(faults[0]).toMatch(/^test\.yaml:2:\d+ document\.field: /);
  });

  test('accepts arrays of timestamps without zone only in UTC', async () => {
    const faults = await faultsOf(
      definition(`${CITIES}, time_zone: Asia/Tokyo`, '{ times: "ARRAY[city.local_time]" }'),
    );
    expect(faults).toEqual([expect.stringContaining('Arrays of timestamp without time zone')]);
  });
});

describe('the check of the database role', () => {
  // Roles are the whole server's, so this one is named after the database.
  let role: string;

  beforeAll(async () => {
    role = `${new URL(database.url).pathname.slice(1)}_reader`;
    await client.query(`
      CREATE ROLE ${role};
      CREATE TABLE guarded (id int PRIMARY KEY, v int);
      GRANT SELECT ON guarded TO ${role};
      ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
      CREATE POLICY ones ON guarded USING (v = 1)`);
  });

  afterAll(async () => {
    await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  async function faultsFor(text: string): Promise<string[]> {
    await client.query(`SET ROLE ${role}`);
    try {
      return await faultsOf(text);
    } finally {
      await client.query('RESET ROLE');
    }
  }

  test('reports missing privileges as one fault', async () => {
    expect(await faultsFor(definition(CITIES, '{ a: city.name, b: city.country }'))).toEqual([
      expect.stringContaining('source.table: Permission denied for table cities.'),
    ]);
  });

  test('refuses row-level security, because it would hide rows', async () => {
    const faults = await faultsFor(definition('table: guarded, as: t, key: id', '{ v: t.v }'));
    expect(faults).toEqual([expect.stringContaining('row-level security')]);
    expect(faults[0]).toContain('BYPASSRLS');
  });
});
