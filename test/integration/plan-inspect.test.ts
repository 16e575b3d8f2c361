import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { inspectDefinition } from '../../orchestrator/plan/inspect.ts';
import { CITIES, CITIES_SCHEMA, databaseFaults, definitionText as definition } from '../support/inspected.ts';
import type { TestDatabase } from '../support/database.ts';
import { useTestClient } from '../support/test-client.ts';

let database: Pick<TestDatabase, 'url'>;
let client: Client;
useTestClient(async (opened, own) => {
  client = opened;
  database = own;
  await client.query(CITIES_SCHEMA + SCHEMA);
});

const SCHEMA = `
  CREATE TABLE text_key (id text PRIMARY KEY, v int);
  CREATE TABLE uuid_key (id uuid PRIMARY KEY, number int NOT NULL UNIQUE);
  CREATE TABLE nullable_key (id int UNIQUE, v int);
  CREATE TABLE plain_key (id int NOT NULL, v int);
  CREATE INDEX ON plain_key (id);
  CREATE TABLE partial_key (id int NOT NULL, v int);
  CREATE UNIQUE INDEX partial_index ON partial_key (id) WHERE id > 10;
  CREATE TABLE deferrable_key (id int NOT NULL UNIQUE DEFERRABLE, v int);
  CREATE TABLE pair_key (id int NOT NULL, v int NOT NULL, UNIQUE (id, v));
  CREATE DOMAIN positive AS bigint CHECK (value > 0);
  CREATE TABLE domain_key (id positive PRIMARY KEY, v int);

  CREATE TABLE parts (id bigint NOT NULL, v int) PARTITION BY RANGE (id);
  CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (1000);
  CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (1000) TO (2000);
  CREATE UNIQUE INDEX ON parts (id);
  INSERT INTO parts SELECT n, n FROM generate_series(0, 1999) n;
  CREATE TABLE by_time (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE by_time_one PARTITION OF by_time FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE by_time_two PARTITION OF by_time FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE TABLE by_time_unique (LIKE by_time) PARTITION BY RANGE (at);
  CREATE TABLE by_time_unique_one PARTITION OF by_time_unique FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE UNIQUE INDEX ON by_time_unique_one (id);
  CREATE TABLE no_partitions (id bigint PRIMARY KEY, v int) PARTITION BY RANGE (id);
  CREATE TABLE parent (id int PRIMARY KEY, v int);
  CREATE TABLE heir () INHERITS (parent);

  CREATE VIEW city_view AS SELECT id, name, population FROM cities WHERE population > 10;
  CREATE VIEW repeated_view AS SELECT id, name FROM cities UNION ALL SELECT id, name FROM cities WHERE id = 7;
  CREATE VIEW null_view AS SELECT nullif(id, 3) AS id, name FROM cities;
  CREATE VIEW computed_view AS SELECT id + 1 AS id, name FROM cities;
  CREATE MATERIALIZED VIEW stored AS SELECT id, name FROM cities;
  CREATE UNIQUE INDEX ON stored (id);
  CREATE FOREIGN DATA WRAPPER nothing;
  CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
  CREATE FOREIGN TABLE foreign_table (id bigint) SERVER elsewhere;
  CREATE SEQUENCE numbers;

  CREATE SCHEMA "Odd Schema";
  CREATE TABLE "Odd Schema"."Weird Table" ("Weird Key" bigint PRIMARY KEY, "Name" text);
  INSERT INTO "Odd Schema"."Weird Table" SELECT n, n FROM generate_series(1, 10) n;
`;

const REGIONS =
  'joins: [{ left: regions AS region, on: region.country = city.country AND region.code = city.region }]';

function faultsOf(text: string): Promise<string[]> {
  return databaseFaults(client, text);
}

describe('the check of a definition that fits its database', () => {
  test.each([
    ['a table', definition(CITIES)],
    ['a table named by its schema', definition('table: public.cities, key: id', '{ name: cities.name }')],
    ['a table joined by a unique key', definition(`${CITIES}, ${REGIONS}`, '{ region: region.name }')],
    [
      'a table with aggregated child rows',
      definition(
        `${CITIES}, joins: [{ left: "LATERAL (SELECT array_agg(stars) AS stars FROM reviews WHERE city = city.id) AS child", on: "true" }]`.replace(
          'city = city.id',
          'reviews.city = city.id',
        ),
        '{ stars: child.stars }',
      ),
    ],
    [
      'a filtered table with the time of changes',
      definition(`${CITIES}, where: city.population > 5, changed_at: city.updated_at`),
    ],
    [
      'a time without zone in the zone of the definition',
      definition(`${CITIES}, changed_at: city.local_time, time_zone: Europe/Berlin`),
    ],
    [
      'a set made into one value',
      definition(CITIES, '{ tags: "ARRAY(SELECT upper(tag) FROM unnest(city.tags) AS tag)" }'),
    ],
    ['a comment at the end of an expression', definition(CITIES, '{ name: "city.name -- as written" }')],
    ['a key of a domain', definition('table: domain_key, key: id', '{ v: domain_key.v }')],
    ['a table partitioned by the key', definition('table: parts, key: id', '{ v: parts.v }')],
    [
      'a table partitioned by another column with a key unique in each partition',
      definition('table: by_time_unique, as: t, key: id', '{ at: t.at }'),
    ],
    [
      'a partitioned table without partitions',
      definition('table: no_partitions, as: t, key: id', '{ v: t.v }'),
    ],
    ['a view', definition('table: city_view, as: city, key: id')],
    ['a materialized view', definition('table: stored, as: city, key: id')],
    [
      'quoted identifiers',
      definition(`table: '"Odd Schema"."Weird Table"', key: Weird Key`, `{ name: '"Weird Table"."Name"' }`),
    ],
  ])('accepts %s', async (_name, text) => {
    expect(await faultsOf(text)).toEqual([]);
  });

  test('describes the columns of the definition', async () => {
    const loaded = parseDefinition(
      definition(`${CITIES}, changed_at: city.updated_at`, '{ name: city.name, n: city.population }'),
      't.yaml',
    );
    const { described } = await inspectDefinition(client, loaded);
    expect(described?.fields.map(({ name, oid }) => ({ name, oid }))).toEqual([
      { name: 'name', oid: 25 },
      { name: 'n', oid: 23 },
    ]);
    expect(described?.changedAtOid).toBe(1184);
  });
});

describe('the check of a definition’s table', () => {
  test.each([
    ['citys', 'test.yaml:1:18 source.table: The database has no such table or view. Did you mean "cities"?'],
    ['publik.cities', 'Did you mean "public.cities"?'],
    ['nothing_like_it', 'Add the schema if it is needed'],
    ['foreign_table', 'foreign_table is a foreign table: read it on its own server.'],
    ['numbers', 'numbers is neither a table nor a view.'],
    ['other_database.public.cities', 'ross-database references are not implemented'],
  ])('refuses %s with the words “%s”', async (table, message) => {
    expect(await faultsOf(definition(`table: ${table}, as: city, key: id`))).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

describe('the check of a definition’s key', () => {
  test.each([
    ['cities', 'idd', 'cities has no column "idd". Did you mean "id"?'],
    ['cities', 'ID', 'Did you mean "id"?'],
    ['cities', 'ctid', 'cities has no column "ctid".'],
    [
      'text_key',
      'id',
      'of type text. The key must be smallint, integer or bigint; text, uuid, numeric and composite keys are not supported.',
    ],
    [
      'uuid_key',
      'id',
      'of type uuid. The key must be smallint, integer or bigint; text, uuid, numeric and composite keys are not supported. The table has these: number.',
    ],
    [
      'nullable_key',
      'id',
      'is nullable, but a row without a key would be lost: ALTER TABLE nullable_key ALTER COLUMN "id" SET NOT NULL.',
    ],
    [
      'plain_key',
      'id',
      'plain_key has no usable unique index on exactly "id". CREATE UNIQUE INDEX CONCURRENTLY ON plain_key ("id")',
    ],
    ['partial_key', 'id', '(partial_index is partial)'],
    ['deferrable_key', 'id', 'is deferrable'],
    ['pair_key', 'id', 'has no usable unique index on exactly "id"'],
    ['by_time', 'id', 'by_time_one, by_time_two has no usable unique index'],
    ['parent', 'id', 'heir has no usable unique index'],
    ['repeated_view', 'id', 'The key is not unique: several rows have 7.'],
    ['null_view', 'id', 'No index leads to a range of keys of null_view'],
    ['computed_view', 'id', 'No index leads to a range of keys of computed_view'],
  ])('refuses %s.%s with the words “%s”', async (table, key, message) => {
    const faults = await faultsOf(definition(`table: ${table}, as: t, key: ${key}`, '{ one: "1" }'));
    expect(faults[0]).toMatch(/^test\.yaml:1:\d+ source\.key: /);
    expect(faults[0]).toContain(message);
  });

  test('refuses a view with a null key', async () => {
    const faults = await faultsOf(definition('table: null_view, as: t, key: id', '{ one: "1" }'));
    expect(faults).toContainEqual(
      expect.stringContaining(
        '1 row of null_view without a key would be lost: SELECT * FROM null_view AS "t" WHERE "t"."id" IS NULL shows them. Leave them out in the view',
      ),
    );
  });

  test('refuses an index that is not valid', async () => {
    await client.query(
      'CREATE TABLE broken_key (id int NOT NULL, v int); INSERT INTO broken_key VALUES (1), (1)',
    );
    await expect(
      client.query('CREATE UNIQUE INDEX CONCURRENTLY broken_index ON broken_key (id)'),
    ).rejects.toThrow('unique');
    const faults = await faultsOf(definition('table: broken_key, as: t, key: id', '{ v: t.v }'));
    expect(faults).toEqual([expect.stringContaining('(broken_index is not valid: REINDEX it)')]);
  });
});

test('the check of a database refuses one without an encoding', async () => {
  const url = new URL(database.url);
  const name = `${url.pathname.slice(1)}_ascii`;
  url.pathname = `/${name}`;
  await client.query(
    `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`,
  );
  const ascii = new Client({ connectionString: url.href });
  await ascii.connect();
  try {
    await ascii.query('CREATE TABLE cities (id int PRIMARY KEY, name text)');
    expect(await databaseFaults(ascii, definition(CITIES))).toEqual([expect.stringContaining('SQL_ASCII')]);
  } finally {
    await ascii.end();
    await client.query(`DROP DATABASE ${name}`);
  }
});
